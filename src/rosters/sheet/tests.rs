//! How tables become entries.

use serde_json::json;

use super::*;
use crate::error::Kind;
use crate::rosters::read::Sheet;

fn entries(text: &str) -> Result<Vec<RawEntry>> {
    let mut found = Vec::new();
    each_of_csv(text, UnknownColumns::Refuse, &mut |entry| found.push(entry))?;
    Ok(found)
}

const HEADER: &str = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes";

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
    let text = format!("{HEADER},Topics , CAPACITY\na,x,,,,,90 mins,a | b,12\n").replace(',', ";");
    let found = entries(&text).unwrap();
    let value = json!({ "external_id": "a", "title": "x", "duration_minutes": 90, "time_zone": "Europe/London", "topics": ["a", "b"], "capacity": 12 });
    assert_eq!(
        found,
        [RawEntry { line: Some(2), value, faults: vec![], surplus: None, sheet: Some(Sheet::default()) }]
    );
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
    assert!(own.iter().any(|fault| fault.pointer.as_deref() == Some("/register") && fault.code == "unknown_column"));
}

#[test]
fn heads_are_a_register_and_an_empty_cell_beside_a_filled_one_is_zero() {
    let text = format!("{HEADER},carers,beneficiaries,family\na,x,,,,,90,2,14,3\nb,x,,,,,90,,,\nc,x,,,,,90,,7,\n");
    let found = entries(&text).unwrap();
    let headcount = json!({ "headcount": { "beneficiaries": 14, "family": 3, "carers": 2 } });
    assert_eq!(found[0].value["register"], headcount);
    assert_eq!(found[1].value.get("register"), None);
    assert_eq!(found[2].value["register"], json!({ "headcount": { "beneficiaries": 7, "family": 0, "carers": 0 } }));
}

#[test]
fn each_time_that_is_none_is_a_fault_of_its_own() {
    let text = format!("{HEADER},excluded\na,x,,,5/13/27 9:30,,90,12/01/2027 9:30|31/02/2027 9:30|2027-02-02 09:30\n");
    let found = entries(&text).unwrap();
    let pointers: Vec<_> = found[0].faults.iter().map(|fault| fault.pointer.as_deref().unwrap()).collect();
    assert_eq!(pointers, ["/local_start", "/excluded/1"]);
    assert_eq!(found[0].value["excluded"], json!(["2027-01-12T09:30:00", "31/02/2027 9:30", "2027-02-02T09:30:00"]));
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
    assert!(told[0].starts_with("Is not a column. The likeliest is title."), "{told:?}");
    assert!(told[1].starts_with("Is not a column. The likeliest is pillar."), "{told:?}");
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
