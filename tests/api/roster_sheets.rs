//! Rosters there and back: what a partner has as a sheet that can be posted again, and a posted sheet with what became of
//! each row.

use std::io::{Cursor, Read, Write};

use life_rooms::http::body::XLSX;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::rosters::{counts, post_csv, reader, roster, rows, series, single, with};
use crate::support::{Answer, Client};

/// What a partner's sheets are at, from the path of its rosters.
fn held(path: &str, ending: &str) -> String {
    format!("{}/roster.{ending}", path.strip_suffix("/rosters").unwrap())
}

fn post_as(client: &Client, path: &str, media_type: &str, accept: &str, body: &[u8]) -> Answer {
    client.send("POST", path, &[("content-type", media_type), ("accept", accept)], body)
}

/// A workbook with a text replaced in its first sheet.
fn replaced(workbook: &[u8], old: &str, new: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut seen = 0;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        if name == "xl/worksheets/sheet1.xml" || name == "xl/sharedStrings.xml" {
            let text = String::from_utf8(bytes).unwrap();
            seen += text.matches(old).count();
            bytes = text.replacen(old, new, 1).into_bytes();
        }
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    assert!(seen > 0, "the workbook has {old}");
    writer.finish().unwrap().into_inner()
}

/// The cells of the first sheet of a workbook.
fn cells(workbook: &[u8]) -> Vec<Vec<String>> {
    use calamine::{Reader, Xlsx};
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(workbook.to_vec())).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    sheet.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

fn table(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A cell by the name of its column.
fn cell<'a>(rows: &'a [Vec<String>], row: usize, column: &str) -> &'a str {
    let index = rows[0].iter().position(|name| name == column).unwrap_or_else(|| panic!("{column}: {:?}", rows[0]));
    rows[row].get(index).map_or("", String::as_str)
}

/// All that an entry can state.
fn entries() -> [Value; 3] {
    let particulars = json!({
        "programme": "shared-reading", "topics": ["reading", "calm"], "accessibility": ["step_free"],
        "description": "=1+1, or 'two'\nlines", "facilitator": "'@Ann", "online_capacity": null,
        "image": { "url": "https://images.example.org/a.jpg", "alt": "People" }, "price_pence": 250,
        "price_note": "+ a cake", "min_age": 16, "what_to_bring": "-", "languages": ["en", "bfi"],
        "public_contact": { "phone": "+44 151 496 0000" }, "excluded": ["2027-01-12T13:00:00"],
        "additional": ["2027-01-14T10:00:00"], "join_link": "https://meet.example.org/j/1", "publication": "unlisted"
    });
    [
        with(series("weekly"), particulars),
        with(
            single("once"),
            json!({ "price_pence": 0, "booking_policy": "drop_in", "local_start": "2027-02-01T00:00:00" }),
        ),
        with(
            series("without-end"),
            json!({ "recurrence": "FREQ=MONTHLY;BYDAY=2TU", "local_start": "2027-01-12T09:30:00" }),
        ),
    ]
}

#[test]
fn what_a_partner_has_is_a_roster_that_changes_nothing() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&entries())).expect(201);
    // What can't be posted, is over or is off isn't in it.
    app.at("2027-01-06T12:00:00Z");
    client.post(&path, &roster(&[with(single("over"), json!({ "local_start": "2026-12-01T13:00:00" }))])).expect(201);
    let before = rows(&app);

    let answer = client.get(&held(&path, "json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let all = answer.expect(200);
    let ids: Vec<&str> =
        all["entries"].as_array().unwrap().iter().map(|e| e["external_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["once", "weekly", "without-end"]);
    assert!(!all.to_string().contains("meet.example.org"), "a file is passed on");
    assert_eq!(client.post(&path, &all).expect(201)["counts"], counts(0, 0, 3, 0));

    let csv = client.get(&held(&path, "csv"));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"roster-2027-01-06.csv\"");
    let sheet = table(&csv.text);
    for (column, text) in [
        ("description", "'=1+1, or 'two'\nlines"),
        ("facilitator", "''@Ann"),
        ("price_note", "'+ a cake"),
        ("what_to_bring", "'-"),
        ("contact_phone", "'+44 151 496 0000"),
        ("price", "£2.50"),
        ("languages", "en|bfi"),
        ("local_start", "2027-01-05T13:00:00"),
        ("join_link", ""),
    ] {
        assert_eq!(cell(&sheet, 2, column), text, "{column}");
    }
    let again = post_csv(&client, &path, &csv.text).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 3, 0), "{again}");

    let workbook = client.get(&held(&path, "xlsx"));
    assert_eq!(workbook.header("content-type"), XLSX);
    let sheet = cells(&workbook.bytes);
    assert_eq!((cell(&sheet, 2, "venue"), cell(&sheet, 2, "delivery")), ("Venue walton", "In person"));
    assert_eq!(cell(&sheet, 2, "contact_phone"), "+44 151 496 0000");
    let again = post_as(&client, &path, XLSX, "application/json", &workbook.bytes).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 3, 0), "{again}");
    assert_eq!(rows(&app), before);
    // What was read stays the same, so whoever has it needn't get it again.
    let held_already = client.send("GET", &held(&path, "xlsx"), &[("if-none-match", workbook.etag())], b"");
    assert_eq!(held_already.status, 304);

    // One cell changed.
    let text = csv.text.replace("£2.50", "free");
    assert_eq!(post_csv(&client, &path, &text).expect(201)["counts"], counts(0, 1, 2, 0));
    let other = replaced(&workbook.bytes, "People", "Friends");
    let changed = post_as(&client, &path, XLSX, "application/json", &other).expect(201);
    assert_eq!(changed["counts"], counts(0, 1, 2, 0), "{changed}");
    let mut all = client.get(&held(&path, "json")).expect(200);
    assert_eq!(all["entries"][1]["image"]["alt"], "Friends");
    all["entries"][0]["capacity"] = json!(9);
    assert_eq!(client.post(&path, &all).expect(201)["counts"], counts(0, 1, 2, 0));
}

#[test]
fn a_posted_sheet_comes_back_with_what_became_of_each_row() {
    let (_app, client, path) = reader();
    let text = "Ref,title,pillar,delivery,Where,local_start,duration_minutes,recurrence\n\
                 a,Choir,community,in_person,walton,2027-01-05T13:00:00,90,FREQ=WEEKLY;COUNT=4\n\n\
                 b,=Choir,community,in_person,waltn,2027-01-06T13:00:00,sixty,\n\
                 c,Tea,community,online,,2027-01-07T13:00:00,60,\n";
    // Nothing is changed by a refused roster, and the sheet says why.
    let refused = post_as(&client, &path, "text/csv", "text/csv", text.as_bytes());
    assert_eq!((refused.status, refused.header("content-type")), (422, "text/csv; charset=utf-8; header=present"));
    let sheet = table(&refused.text);
    assert_eq!(sheet[0][..2], ["Ref", "title"]);
    assert_eq!((cell(&sheet, 1, "outcome"), cell(&sheet, 1, "what is wrong")), ("", ""));
    assert_eq!((cell(&sheet, 2, "outcome"), cell(&sheet, 2, "title")), ("rejected", "'=Choir"));
    let wrong = cell(&sheet, 2, "what is wrong");
    assert!(wrong.contains("venue: There is no such venue. Nearest: Venue walton (walton)."), "{wrong}");
    assert!(wrong.contains("duration_minutes: Must be a number of minutes"), "{wrong}");
    assert_eq!(sheet.len(), 4);
    let kept = client.get(&path).expect(200);
    assert_eq!(kept["items"][0]["status"], "refused");

    // Put right and posted again as it is.
    let right = refused.text.replace("waltn", "walton").replace("sixty", "60");
    let applied = post_as(&client, &path, "text/csv", XLSX, right.as_bytes());
    assert_eq!((applied.status, applied.header("content-type")), (201, XLSX));
    assert!(applied.header("location").starts_with(&path));
    let sheet = cells(&applied.bytes);
    assert_eq!(sheet[0].iter().filter(|name| *name == "outcome").count(), 1);
    assert_eq!((1..=3).map(|row| cell(&sheet, row, "outcome")).collect::<Vec<_>>(), ["created"; 3]);
    assert_eq!(cell(&sheet, 2, "title"), "=Choir");

    // A workbook and JSON come back too, also with part of them applied, and what is no longer named at the end.
    let again = post_as(&client, &path, XLSX, "text/csv", &replaced(&applied.bytes, ">60<", ">61<"));
    let sheet = table(&again.text);
    assert_eq!(
        (1..=3).map(|row| cell(&sheet, row, "outcome")).collect::<Vec<_>>(),
        ["unchanged", "updated", "unchanged"]
    );
    let entries = roster(&[series("a"), with(single("b"), json!({ "venue": "nowhere" }))]).to_string();
    let query = format!("{path}?mode=partial&dry_run=true&missing=cancel");
    let dry = post_as(&client, &query, "application/json", "text/csv", entries.as_bytes());
    let sheet = table(&dry.text);
    assert_eq!(dry.status, 200);
    assert_eq!(
        (1..=3).map(|row| cell(&sheet, row, "outcome")).collect::<Vec<_>>(),
        ["updated", "rejected", "cancelled"]
    );
    assert_eq!(cell(&sheet, 3, "external_id"), "c");
    assert!(cell(&sheet, 2, "what is wrong").starts_with("venue: There is no such venue."));

    // Whoever takes JSON as gladly gets JSON, and problems of the whole are problems.
    let json = post_as(&client, &path, "text/csv", "*/*", text.as_bytes());
    json.problem(422, "roster-refused");
    let no_header = post_as(&client, &path, "text/csv", "text/csv", b"hello\n");
    no_header.problem(422, "invalid-body");
    post_as(&client, &path, "text/csv", "image/png", text.as_bytes()).problem(406, "not-acceptable");
}

#[test]
fn a_workbook_to_be_filled_in_has_lists_to_choose_from() {
    let (_app, client, path) = reader();
    let template = client.get(&format!("{path}/template.xlsx"));
    assert_eq!((template.status, template.header("content-type")), (200, XLSX));
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(template.bytes.clone())).unwrap();
    let names = calamine::Reader::sheet_names(&book);
    assert_eq!(names.len(), 2);
    let lists = calamine::Reader::worksheet_range_at(&mut book, 1).unwrap().unwrap();
    let listed: Vec<String> = lists.cells().map(|(.., cell)| cell.to_string()).collect();
    for item in ["Venue walton", "shared-reading", "Social prescribing", "In person", "Drop in", "every 2 weeks"] {
        assert!(listed.iter().any(|listed| listed == item), "{item}: {listed:?}");
    }
    let header = cells(&template.bytes).remove(0);
    assert!(["venue", "date", "time", "repeats", "price"].iter().all(|name| header.iter().any(|cell| cell == name)));
    // As it is, it has no entry.
    let empty = post_as(&client, &path, XLSX, "application/json", &template.bytes).problem(422, "invalid-body");
    assert_eq!(empty["errors"][0]["code"], "too_few");
}

#[test]
fn more_than_half_of_what_is_to_come_is_called_off_only_if_that_is_confirmed() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a"), series("b"), single("c")])).expect(201);
    let before = rows(&app);
    let cut = roster(&[single("c")]);
    let problem = client.post(&format!("{path}?missing=cancel"), &cut).problem(409, "confirm-needed");
    assert!(problem["detail"].as_str().unwrap().contains("8 of the 9 sessions to come"), "{problem}");
    assert_eq!(rows(&app), before);
    let dry = client.post(&format!("{path}?missing=cancel&dry_run=true"), &cut).expect(200);
    assert_eq!(dry["sessions"]["cancelled"], 8);
    // Less than half needs no word.
    let most = client.post(&format!("{path}?missing=cancel"), &roster(&[series("a"), single("c")])).expect(201);
    assert_eq!(most["sessions"]["cancelled"], 4);
    let meant = client.post(&format!("{path}?missing=cancel&confirm=cancel"), &cut).expect(201);
    assert_eq!(meant["sessions"]["cancelled"], 4);
}
