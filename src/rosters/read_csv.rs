//! Rosters from a spreadsheet: a header row, then an entry a row.
//!
//! - Columns can stand in any order and case. An empty cell is absent. A column without a name and without values is
//!   ignored. The items of a list are joined by `|`.
//! - The separator is the sign that the header line has most of, or the one that a first line `sep=;` names
//!   ([`super::csv_records`]).
//! - A cell becomes what the schema of an entry says of its column. So a row is checked exactly like an entry in JSON.
//! - Times can be written as spreadsheets write them ([`super::read_time`]). Each number of a register's headcount has a
//!   column. If one of them is filled, an empty one is 0.

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value, json};

use super::csv_records::{Opening, RecordLines};
use super::read::{MOST_ENTRIES, RawEntry};
use super::read_time::read_time;
use super::types::RosterEntry;
use crate::error::{Error, Fault, Kind, Result};
use crate::http::shape::{self, Shape};
use crate::text::fold::name_key;
use crate::text::nearest::nearest;
use crate::text::reading::is_blank;

/// The columns, in the order of the template.
pub const COLUMNS: [&str; 26] = [
    "external_id",
    "type",
    "title",
    "description",
    "programme",
    "pillar",
    "topics",
    "delivery",
    "venue",
    "space",
    "join_link",
    "facilitator",
    "accessibility",
    "local_start",
    "time_zone",
    "duration_minutes",
    "recurrence",
    "excluded",
    "additional",
    "capacity",
    "online_capacity",
    "booking_policy",
    "publication",
    "beneficiaries",
    "family",
    "carers",
];

/// The columns that are a register's headcount together.
const HEADS: [&str; 3] = ["beneficiaries", "family", "carers"];
/// The columns that hold times on the wall.
const TIMES: [&str; 3] = ["local_start", "excluded", "additional"];
/// What stands in a column of heads; the entry's schema says how many may be.
static COUNT: Shape = Shape::Integer { least: None, most: None };

/// Calls `take` with each row of a table, up to one more than a roster may have. `text` has no byte-order mark.
///
/// # Errors
/// 400 where a quoted cell doesn't end; 422 where a column is unknown, there twice, or missing.
pub fn each(text: &str, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    let opening = Opening::of(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(opening.separator)
        .flexible(true)
        .has_headers(false)
        .trim(Trim::All)
        .from_reader(text.as_bytes().get(opening.length..).unwrap_or_default());
    let shape = shape::of::<RosterEntry>();
    let Shape::Object { members, required, .. } = &*shape else {
        return Err(Error::internal("an entry is an object"));
    };
    let mut columns = None;
    let mut lines = RecordLines::of(text, &opening);
    let mut record = StringRecord::new();
    let mut taken = 0;
    while taken <= MOST_ENTRIES {
        // Before the reader takes the record in: it may be too long.
        let line = lines.next()?.unwrap_or_default();
        if !reader.read_record(&mut record).map_err(malformed)? {
            break;
        }
        // A cell without a visible character is empty.
        if record.iter().any(|cell| !cell.is_empty() && is_blank(cell)) {
            record = record.iter().map(|cell| if is_blank(cell) { "" } else { cell }).collect();
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        match &columns {
            None => columns = Some(header(&record, members, required)?),
            Some(columns) => {
                taken += 1;
                take(entry(line, &record, columns));
            }
        }
    }
    match columns {
        Some(_) => Ok(()),
        None => Err(Error::rule("", "required", "Must begin with a header row that names the columns.")),
    }
}

fn malformed(error: csv::Error) -> Error {
    Error::new(Kind::MalformedRequest, "The body is not a well-formed CSV table.").because(error)
}

/// A column: its name, and the shape of what stands in it; `None` where it has no name.
type Column<'a> = Option<(String, &'a Shape)>;

/// Columns of a spreadsheet, four times those that are known.
const MOST_COLUMNS: usize = 100;
/// Faults of one row.
const MOST_FAULTS: usize = 100;

fn header<'a>(record: &StringRecord, members: &'a [(String, Shape)], required: &[String]) -> Result<Vec<Column<'a>>> {
    let (mut columns, mut faults): (Vec<Column<'a>>, Vec<Fault>) = (Vec::new(), Vec::new());
    let named = record.iter().filter(|cell| !cell.is_empty()).count();
    if named > MOST_COLUMNS {
        let detail = format!("The first row has {named} columns; the most is {MOST_COLUMNS}.");
        return Err(Error::rule("", "too_many_columns", detail));
    }
    for cell in record {
        if cell.is_empty() {
            columns.push(None);
            continue;
        }
        // "Local start" is local_start to whoever makes a spreadsheet.
        let key = name_key(cell).replace(' ', "_");
        let name = if key.is_empty() { cell.to_owned() } else { key };
        let pointer = format!("/{}", shape::escape(&name));
        match shape_of(&name, members) {
            Some(_) if columns.iter().flatten().any(|(known, _)| *known == name) => {
                faults.push(Fault::at(pointer, "repeated", "There are two columns of this name."));
            }
            Some(shape) => columns.push(Some((name, shape))),
            None => {
                let near = nearest(&name, COLUMNS.into_iter()).join(", ");
                let mut detail = format!("Is not a column. Nearest: {near}.");
                // All of them once: a table with many wrong columns needn't repeat them.
                if faults.iter().all(|fault: &Fault| fault.code != "unknown_column") {
                    detail.push_str(&format!(" The columns are: {}.", COLUMNS.join(", ")));
                }
                faults.push(Fault::at(pointer, "unknown_column", detail));
            }
        }
    }
    // A title above the header has a cell or two. More are columns with wrong names.
    if named <= 2 && columns.iter().all(Option::is_none) {
        let detail = format!("The first row must name the columns, and names none. They are: {}.", COLUMNS.join(", "));
        return Err(Error::rule("", "no_header", detail));
    }
    let missing = required.iter().filter(|name| !columns.iter().flatten().any(|(known, _)| known == *name));
    faults.extend(missing.map(|name| Fault::at(format!("/{name}"), "missing_column", "This column is required.")));
    if faults.is_empty() { Ok(columns) } else { Err(Error::invalid(faults)) }
}

/// The shape of a column's cells, where there is such a column.
fn shape_of<'a>(name: &str, members: &'a [(String, Shape)]) -> Option<&'a Shape> {
    if HEADS.contains(&name) {
        return Some(&COUNT);
    }
    let known = members.iter().find(|(known, _)| known == name && COLUMNS.contains(&name));
    known.map(|(_, shape)| shape)
}

fn entry(line: i32, record: &StringRecord, columns: &[Column<'_>]) -> RawEntry {
    let (mut map, mut heads, mut faults) = (Map::new(), Map::new(), Vec::new());
    let mut unnamed = None;
    for (column, cell) in columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        let Some((name, shape)) = column else {
            unnamed.get_or_insert(cell);
            continue;
        };
        let name = name.as_str();
        let value = if TIMES.contains(&name) { times(name, cell, shape, &mut faults) } else { coerce(cell, shape) };
        faults.extend(not_joined(name, cell, &value));
        if HEADS.contains(&name) { &mut heads } else { &mut map }.insert(name.to_owned(), value);
    }
    if !heads.is_empty() {
        let count = |name: &str| (name.to_owned(), heads.remove(name).unwrap_or_else(|| json!(0)));
        let headcount: Map<String, Value> = HEADS.map(count).into_iter().collect();
        map.insert("register".into(), json!({ "headcount": headcount }));
    }
    if let Some(cell) = unnamed {
        let cell: String = cell.chars().take(40).collect();
        let detail = format!("The cell {cell:?} stands in a column without a name in the header.");
        faults.push(Fault::at("", "unnamed_column", detail));
    }
    let mut surplus = surplus(record, columns.len());
    // It comes first, because the faults that follow may only come of it.
    if record.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        faults.splice(0..0, surplus.take());
    }
    RawEntry { line: Some(line), value: Value::Object(map), faults, surplus }
}

/// That a row has more cells than the header.
fn surplus(record: &StringRecord, columns: usize) -> Option<Fault> {
    let detail = format!(
        "The row has {} cells and the header {columns}. Put a cell that holds the separator in quotation marks.",
        record.len(),
    );
    (record.len() > columns).then(|| Fault::at("", "too_many_cells", detail))
}

/// The time in a cell, or the times in a list, as an entry has them; a fault for each that is none.
fn times(name: &str, cell: &str, shape: &Shape, faults: &mut Vec<Fault>) -> Value {
    let mut one = |text: &str, pointer: String| {
        let read = read_time(text).unwrap_or_else(|detail| {
            // A cell of a million separators tells no more than one of a hundred.
            if faults.len() < MOST_FAULTS {
                faults.push(Fault::at(pointer, "wrong_format", detail));
            }
            text.to_owned()
        });
        Value::from(read)
    };
    match shape {
        Shape::Array { most, .. } => {
            items(cell, *most).enumerate().map(|(index, part)| one(part, format!("/{name}/{index}"))).collect()
        }
        _ => one(cell, format!("/{name}")),
    }
}

/// The items of a list in a cell, and one more than it may have at most. An empty one, such as that behind a last `|`, is
/// none.
fn items(cell: &str, most: Option<u64>) -> impl Iterator<Item = &str> {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    cell.split('|').map(str::trim).filter(|part| !is_blank(part)).take(most.saturating_add(1))
}

/// That a list has no `|` but another sign between its items, as far as its items can't hold that sign.
fn not_joined(name: &str, cell: &str, value: &Value) -> Option<Fault> {
    let wrong = value.is_array() && !cell.contains('|') && cell.contains([',', ';']);
    let detail = "The items of a list are joined by |, for example step_free|hearing_loop.";
    wrong.then(|| Fault::at(format!("/{name}/0"), "wrong_format", detail))
}

fn coerce(cell: &str, shape: &Shape) -> Value {
    match shape {
        Shape::Nullable(inner) => coerce(cell, inner),
        Shape::Array { items: shape, most, .. } => items(cell, *most).map(|part| coerce(part, shape)).collect(),
        Shape::Integer { .. } => cell.parse::<i64>().map_or_else(|_| number(cell), Value::from),
        _ => Value::from(cell),
    }
}

/// A cell such as `12.0` as the number that it is; anything else as the text that it is.
fn number(cell: &str) -> Value {
    serde_json::from_str(cell).ok().filter(Value::is_number).unwrap_or_else(|| Value::from(cell))
}

/// A cell that no spreadsheet takes for a formula: one that begins with `=`, `+`, `-`, `@`, tab or carriage return
/// gets an apostrophe in front.
///
/// Source: OWASP, CSV injection.
pub fn neutral(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// A header row and one example, to be filled in.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn template() -> Result<String> {
    let example = |name: &&str| match *name {
        "external_id" => "reader-walton-tue",
        "type" => "series",
        "title" => "Shared Reading at Walton",
        "description" => "Read a story and a poem aloud together.",
        "programme" => "shared-reading",
        "pillar" => "community",
        "topics" => "reading|wellbeing",
        "delivery" => "in_person",
        "venue" => "walton-life-rooms",
        "accessibility" => "step_free|hearing_loop",
        "local_start" => "2027-01-05T13:00:00",
        "time_zone" => "Europe/London",
        "duration_minutes" => "90",
        "recurrence" => "FREQ=WEEKLY;COUNT=52",
        "excluded" => "2027-03-30T13:00:00",
        "capacity" => "12",
        "booking_policy" => "bookable",
        "publication" => "published",
        _ => "",
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(Error::internal)?;
    let cells = COLUMNS.iter().map(|name| neutral(example(name)));
    writer.write_record(cells).map_err(Error::internal)?;
    String::from_utf8(writer.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entries(text: &str) -> Result<Vec<RawEntry>> {
        let mut found = Vec::new();
        each(text, &mut |entry| found.push(entry))?;
        Ok(found)
    }

    const HEADER: &str = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes";

    #[test]
    fn the_columns_are_the_members_of_an_entry() {
        let shape = shape::of::<RosterEntry>();
        let Shape::Object { members, .. } = &*shape else { panic!("an entry is an object") };
        let names = members.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "register");
        let mut known: Vec<&str> = names.chain(HEADS).collect();
        let mut columns = COLUMNS.to_vec();
        known.sort_unstable();
        columns.sort_unstable();
        assert_eq!(known, columns);
    }

    #[test]
    fn lines_are_counted_through_quoted_line_ends_blank_lines_and_crlf() {
        for end in ["\n", "\r\n", "\r"] {
            let rows = ["", HEADER, "a,\"one", "two\",,,,,", "", "b,x,,,,,", ",,,,,,", "c,x,,,,,", "", ""];
            let found = entries(&rows.join(end)).unwrap();
            let lines: Vec<_> = found.iter().map(|entry| entry.line.unwrap()).collect();
            assert_eq!(lines, [3, 6, 8]);
            assert_eq!(found[0].value["title"], format!("one{end}two"));
        }
    }

    #[test]
    fn cells_become_what_their_column_holds() {
        let text = format!("{HEADER},Topics , CAPACITY\na,x,,,,,ninety,a | b,12\n").replace(',', ";");
        let found = entries(&text).unwrap();
        let value = json!({ "external_id": "a", "title": "x", "duration_minutes": "ninety", "topics": ["a", "b"], "capacity": 12 });
        assert_eq!(found, [RawEntry { line: Some(2), value, faults: vec![], surplus: None }]);
    }

    #[test]
    fn headers_may_be_written_as_people_write_them() {
        let header = "\" External ID \";TITLE;Pillar;Delivery;Local-Start;time zone;Duration Minutes";
        let found = entries(&format!("{header}\na;x;community;online;5/1/2027 9:30;Europe/London;90\n")).unwrap();
        assert_eq!(
            (&found[0].value["external_id"], &found[0].value["local_start"]),
            (&json!("a"), &json!("2027-01-05T09:30:00"))
        );
        let again = entries("title,Title,external_id").unwrap_err().into_faults();
        assert!(again.iter().any(|fault| fault.code == "repeated"));
        let own = entries("register,title").unwrap_err().into_faults();
        assert!(
            own.iter().any(|fault| fault.pointer.as_deref() == Some("/register") && fault.code == "unknown_column")
        );
    }

    #[test]
    fn heads_are_a_register_and_an_empty_cell_beside_a_filled_one_is_zero() {
        let text = format!("{HEADER},carers,beneficiaries,family\na,x,,,,,90,2,14,3\nb,x,,,,,90,,,\nc,x,,,,,90,,7,\n");
        let found = entries(&text).unwrap();
        let headcount = json!({ "headcount": { "beneficiaries": 14, "family": 3, "carers": 2 } });
        assert_eq!(found[0].value["register"], headcount);
        assert_eq!(found[1].value.get("register"), None);
        assert_eq!(
            found[2].value["register"],
            json!({ "headcount": { "beneficiaries": 7, "family": 0, "carers": 0 } })
        );
    }

    #[test]
    fn each_time_that_is_none_is_a_fault_of_its_own() {
        let text =
            format!("{HEADER},excluded\na,x,,,5/1/27 9:30,,90,12/01/2027 9:30|31/02/2027 9:30|2027-02-02 09:30\n");
        let found = entries(&text).unwrap();
        let pointers: Vec<_> = found[0].faults.iter().map(|fault| fault.pointer.as_deref().unwrap()).collect();
        assert_eq!(pointers, ["/local_start", "/excluded/1"]);
        assert_eq!(
            found[0].value["excluded"],
            json!(["2027-01-12T09:30:00", "31/02/2027 9:30", "2027-02-02T09:30:00"])
        );
    }

    #[test]
    fn wrong_columns_are_named_all_at_once() {
        let faults = entries("external_id,Colour,title,title\n").unwrap_err().into_faults();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_deref().unwrap(), &*fault.code)).collect();
        assert!(found.contains(&("/colour", "unknown_column")) && found.contains(&("/title", "repeated")), "{found:?}");
        assert!(found.contains(&("/pillar", "missing_column")), "{found:?}");
        assert!(faults.iter().any(|fault| fault.detail.contains("external_id, type, title")));
        let many = entries("titel,pilar,delivry\n").unwrap_err().into_faults();
        let told: Vec<&str> = many.iter().filter(|f| f.code == "unknown_column").map(|f| &*f.detail).collect();
        assert!(told[0].starts_with("Is not a column. Nearest: title, "), "{told:?}");
        assert!(told[1].starts_with("Is not a column. Nearest: pillar, "), "{told:?}");
        assert!(told[0].contains("The columns are: ") && !told[1].contains("The columns are: "), "{told:?}");
        assert_eq!(entries("").unwrap_err().kind(), Kind::InvalidBody);
    }

    #[test]
    fn a_row_with_cells_beyond_the_header_is_at_fault() {
        let found = entries(&format!("{HEADER}\na,x,,,,,90,stray\nb,x,,,,,90,\n")).unwrap();
        assert_eq!(found[0].faults[0].code, "too_many_cells");
        assert!(found[1].faults.is_empty());
    }

    #[test]
    fn the_separator_is_told_or_that_of_the_header_line() {
        let header = HEADER.replace(',', ";");
        for text in [
            format!("{header}\na;x;;;;;\"1,2,3,4,5,6,7,8,9,10\"\n"),
            format!("{header}\ra;x,y,z,1,2,3,4,5,6;;;;;90\r"),
            format!("sep=;\r\n{header}\r\na;x;;;;;90\r\n"),
            format!("\"SEP=;\"\n\n{header}\na;x;;;;;90\n"),
            format!("sep=\t\n{}\na\tx\n", HEADER.replace(',', "\t")),
            format!("{}\na\tx;y;z\n", HEADER.replace(',', "\t")),
            format!("\"external_id\",\"title;;;;;;;;\"{}\na,x\n", &HEADER["external_id,title".len()..])
                .replace("title;;;;;;;;", "title"),
        ] {
            let found = entries(&text).unwrap();
            assert_eq!(found[0].value["external_id"], "a", "{text}");
            let line = 1 + text.split(['\r', '\n']).filter(|line| !line.is_empty()).count() as i32;
            let blank = i32::from(text.contains("\n\n"));
            assert_eq!(found[0].line, Some(line - 1 + blank), "{text:?}");
        }
        // What no separator can be is no line of that kind, and so a header.
        assert!(entries("sep=x\n").is_err());
    }

    #[test]
    fn a_column_without_a_name_is_nothing_until_it_has_a_value() {
        let text = format!("{HEADER},,\na,x,,,,,90,,\nb,x,,,,,90,stray,\nc,x,,,,,90\n");
        let found = entries(&text).unwrap();
        let codes: Vec<Vec<&str>> =
            found.iter().map(|entry| entry.faults.iter().map(|fault| &*fault.code).collect()).collect();
        assert_eq!(codes, [vec![], vec!["unnamed_column"], vec![]]);
        let inside = entries(&HEADER.replace("title,", "title,,").to_string()).map(|found| found.len());
        assert_eq!(inside.ok(), Some(0));
    }

    #[test]
    fn formulas_are_neutralised_and_plain_texts_are_not() {
        for cell in ["=1+1", "+44", "-1", "@SUM", "\tx", "\rx"] {
            assert_eq!(neutral(cell), format!("'{cell}"));
        }
        assert_eq!(neutral("Shared Reading = fun"), "Shared Reading = fun");
    }
}
