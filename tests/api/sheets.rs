//! Rosters as charities make them: the files of `tests/sheets/`, each with what it must give; and workbooks that are
//! refused.

use std::fs;
use std::io::{Cursor, Write};

use life_rooms::auth::caller::Scope;
use life_rooms::http::body::XLSX;
use serde_json::{Map, Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::jobs::ended;
use crate::rosters::{all_venues, counts, partner, pointers, post_csv, programme, reader, rows};
use crate::support::{Answer, App, Client};

fn file(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/sheets/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn expected() -> Map<String, Value> {
    serde_json::from_slice(&file("expected.json")).unwrap()
}

/// Sends a file with the media type that a browser or a script would give it.
fn post_file(client: &Client, path: &str, name: &str) -> Answer {
    let media_type = if name.ends_with(".xlsx") { XLSX } else { "text/csv" };
    client.send("POST", path, &[("content-type", media_type)], &file(name))
}

fn post_workbook(client: &Client, path: &str, bytes: &[u8]) -> Answer {
    client.send("POST", path, &[("content-type", XLSX)], bytes)
}

/// A server with the demo's venues, The Reader and its programme; the path of its rosters.
fn library() -> (App, Client, String) {
    let app = App::start();
    all_venues(&app);
    let id = partner(&app, "the-reader");
    programme(&app, &id, "shared-reading");
    let client = app.partner_client(&id, &[Scope::RostersWrite, Scope::RostersRead]);
    (app, client, format!("/v1/partners/{id}/rosters"))
}

/// Every session, by time and title, with slugs for what it names.
fn sessions(app: &App) -> Vec<Value> {
    let admin = app.admin();
    let items = |path: &str| admin.get(path).expect(200)["items"].as_array().unwrap().clone();
    let slug = |path: &str, id: &Value| -> Value {
        items(path).into_iter().find(|item| item["id"] == *id).map(|item| item["slug"].clone()).unwrap_or_default()
    };
    let mut all = items("/v1/sessions?limit=100");
    for session in &mut all {
        let partner = session["partner_id"].as_str().unwrap().to_owned();
        session["venue"] = slug("/v1/venues?limit=100", &session["venue_id"]);
        session["programme"] = slug(&format!("/v1/partners/{partner}/programmes"), &session["programme_id"]);
    }
    all.sort_by_key(by_time_and_title);
    all
}

fn by_time_and_title(session: &Value) -> (String, String) {
    (session["local_start"].to_string(), session["title"].to_string())
}

/// Asserts that there are these sessions, each with the members that are stated.
fn assert_sessions(app: &App, name: &str, stated: &Value) {
    let mut stated = stated.as_array().unwrap().clone();
    stated.sort_by_key(by_time_and_title);
    let found = sessions(app);
    assert_eq!(found.len(), stated.len(), "{name}: {found:#?}");
    for (found, stated) in found.iter().zip(&stated) {
        for (member, value) in stated.as_object().unwrap() {
            assert_eq!(&found[member], value, "{name}: {member} of {found:#}");
        }
    }
}

fn assert_faults(name: &str, problem: &Value, stated: &Value) {
    let mut faults = problem["errors"].as_array().unwrap().clone();
    faults.sort_by_key(|fault| fault["pointer"].to_string());
    let stated = stated.as_array().unwrap();
    let told: Vec<_> = faults.iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    let pointers: Vec<_> = stated.iter().map(|fault| fault[0].as_str().unwrap()).collect();
    assert_eq!(told, pointers, "{name}: {problem:#}");
    for (fault, stated) in faults.iter().zip(stated) {
        assert!(fault["detail"].as_str().unwrap().contains(stated[1].as_str().unwrap()), "{name}: {stated} {fault}");
    }
}

#[test]
fn sheets_as_charities_make_them_go_through_and_change_nothing_when_they_come_again() {
    for (name, stated) in expected().iter().filter(|(_, stated)| stated.get("sessions").is_some()) {
        let (app, client, path) = library();
        let rehearsal = post_file(&client, &format!("{path}?dry_run=true"), name).expect(200);
        assert_eq!(rehearsal["counts"]["rejected"], 0, "{name}: {rehearsal:#}");
        let first = post_file(&client, &path, name);
        assert_eq!(first.status, 201, "{name}: {}", first.text);
        let first = first.expect(201);
        assert_eq!(first["counts"], rehearsal["counts"], "{name}");
        if let Some(lines) = stated.get("lines") {
            let told: Value = first["entries"].as_array().unwrap().iter().map(|entry| entry["line"].clone()).collect();
            assert_eq!(&told, lines, "{name}");
        }
        assert_sessions(&app, name, &stated["sessions"]);
        let before = rows(&app);
        let again = post_file(&client, &path, name).expect(201);
        assert_eq!(again["counts"]["unchanged"], first["counts"]["created"], "{name}: {again:#}");
        assert_eq!(rows(&app), before, "{name}");
    }
}

#[test]
fn sheets_that_are_wrong_tell_a_volunteer_what_to_do() {
    let (app, client, path) = library();
    for (name, stated) in expected().iter().filter(|(_, stated)| stated.get("faults").is_some()) {
        let problem = post_file(&client, &path, name).problem(422, stated["refused"].as_str().unwrap());
        assert_faults(name, &problem, &stated["faults"]);
        assert!(rows(&app).is_empty(), "{name}");
    }
    for (name, stated) in expected().iter().filter(|(_, stated)| stated.get("ignoring").is_some()) {
        assert_eq!(post_file(&client, &format!("{path}?unknown=ignore"), name).status, 201);
        assert_sessions(&app, name, &stated["ignoring"]["sessions"]);
    }
    // A row that is right goes through beside one that has an error in a cell.
    let partial = post_file(&client, &format!("{path}?mode=partial&dry_run=true"), "formulas-without-values.xlsx");
    let errors = partial.expect(200)["entries"][1]["errors"].clone();
    let at = |fault: &Value| (fault["pointer"].clone(), fault["code"].clone());
    let told: Vec<_> = errors.as_array().unwrap().iter().map(at).collect();
    assert_eq!(told, [(json!("/local_start"), json!("wrong_format")), (json!("/capacity"), json!("wrong_format"))]);
}

#[test]
fn every_file_of_the_folder_is_tried() {
    let folder = fs::read_dir(format!("{}/tests/sheets", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !["expected.json", "make.py"].contains(&name.as_str())).collect();
    let mut known: Vec<String> = expected().keys().cloned().collect();
    names.sort();
    known.sort();
    assert_eq!(names, known);
}

#[test]
fn json_stays_strict() {
    let (_app, client, path) = library();
    let entry = json!({ "external_id": "a", "title": "Tea", "pillar": "Community", "delivery": "In person",
        "venue": "Life Rooms Walton", "local_start": "5/1/27 13:00", "duration_minutes": "90 mins", "repeats": "weekly" });
    for (media_type, body) in
        [("application/json", json!({ "entries": [entry] }).to_string()), ("application/x-ndjson", entry.to_string())]
    {
        let answer = client.send("POST", &path, &[("content-type", media_type)], body.as_bytes());
        let members = ["delivery", "duration_minutes", "local_start", "pillar", "repeats", "time_zone", "venue"];
        let at = members.map(|name| format!("/entries/0/{name}"));
        assert_eq!(pointers(&answer.problem(422, "roster-refused")), at);
    }
}

#[test]
fn a_name_that_several_venues_have_is_none() {
    let (app, client, path) = library();
    for slug in ["old-hall", "new-hall"] {
        let body = json!({ "slug": slug, "name": "St Mary’s Hall", "kind": "other", "local_authority": "Sefton" });
        app.admin().post("/v1/venues", &body).expect(201);
    }
    let sheet = |venue: &str| {
        format!("ID,Title,Pillar,Delivery,Where,Start,Duration\na,Tea,Community,In person,{venue},5/1/27 1pm,60\n")
    };
    let problem = post_csv(&client, &path, &sheet("st. marys hall")).problem(422, "roster-refused");
    assert_eq!(problem["errors"][0]["detail"], "Line 2: Several have this name. Write the slug: new-hall, old-hall.");
    assert_eq!(post_csv(&client, &path, &sheet("New hall")).expect(201)["counts"], counts(1, 0, 0, 0));
}

#[test]
fn csv_says_its_character_set_or_shows_it() {
    let (app, client, path) = reader();
    let text =
        "external_id,title,pillar,delivery,local_start,duration_minutes\na,Café,community,online,2027-01-05 13:00,60\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin = text.replace('é', "~").into_bytes().into_iter().map(|byte| if byte == b'~' { 0xe9 } else { byte });
    let latin: Vec<u8> = latin.collect();
    let post = |media_type: &str, bytes: &[u8]| client.send("POST", &path, &[("content-type", media_type)], bytes);
    for (media_type, bytes) in [
        ("text/csv; charset=windows-1252", &latin),
        ("text/csv; charset=\"ISO-8859-1\"", &latin),
        ("text/csv; charset=utf-16be; header=present", &wide),
        ("text/csv", &wide),
        ("text/csv", &latin),
    ] {
        assert_eq!(post(media_type, bytes).status, 201, "{media_type}");
        assert_eq!(rows(&app).iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["Café"], "{media_type}");
    }
    let told = post("text/csv; charset=utf-8", &latin).problem(400, "malformed-request");
    assert_eq!(told["detail"], "The body is not UTF-8, as its media type says.");
    post("text/csv; charset=koi8-r", &latin).problem(415, "unsupported-media-type");
    post("application/json; charset=windows-1252", &latin).problem(415, "unsupported-media-type");
}

/// A workbook of these parts beside those that it can't be without.
fn workbook(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut source = zip::ZipArchive::new(Cursor::new(file("no-positions.xlsx"))).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let names: Vec<String> =
        (0..source.len()).map(|n| source.by_index(n).unwrap().name().unwrap().into_owned()).collect();
    for name in names.iter().filter(|name| !parts.iter().any(|(other, _)| other == name)) {
        writer.raw_copy_file(source.by_name(name).unwrap()).unwrap();
    }
    for (name, bytes) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn what_is_no_plain_workbook_is_refused_with_a_sentence() {
    let (app, client, path) = library();
    let nothing = vec![b' '; 65 * 1024 * 1024];
    let bomb = workbook(&[("xl/worksheets/sheet1.xml", &nothing)]);
    assert!(bomb.len() < 200_000);
    let many: Vec<String> = (0..1_000).map(|n| format!("docProps/{n}.xml")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let texts = "xl/sharedStrings.xml";
    let greedy = b"<sst uniqueCount=\"99999999999\"><si><t>a</t></si></sst>";
    let short = [b"<sst>".as_slice(), &b"<si/>".repeat(2_000_001)].concat();
    let cell = [b"<sst><si><t>".as_slice(), &b"x".repeat(600_000), b"</t></si></sst>"].concat();
    let wide: Vec<u8> = "<sst uniqueCount=\"99\"/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sheet = |rows: &str| format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").into_bytes();
    let far = sheet("<row r=\"1\"><c r=\"XFD1\" t=\"str\"><v>a</v></c></row>");
    let astray = sheet("<row r=\"1\"><c r=\"ZZZZZZZZ99999999999\"><v>1</v></c></row>");
    let backwards = sheet("<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>");
    let name = "xl/worksheets/sheet1.xml";
    let whole = file("gaps.xlsx");
    for (bytes, status, words) in [
        (bomb, 422, "has more than 67108864 bytes when it is unpacked"),
        (workbook(&many), 422, "has more than 1000 files"),
        (workbook(&[("xl/vbaProject.bin", b"macro")]), 422, "has macros. Save it as .xlsx, without macros."),
        (workbook(&[(texts, greedy)]), 422, "declares more than 2000000 texts"),
        (workbook(&[(texts, &short)]), 422, "too many different texts or formats"),
        (workbook(&[(texts, &cell)]), 422, "a cell of more than 524288 bytes"),
        (workbook(&[(texts, &wide)]), 400, "not in UTF-8"),
        (workbook(&[(name, &far)]), 422, "more than 1000 columns"),
        (workbook(&[(name, &astray)]), 400, "The workbook is broken"),
        (workbook(&[(name, &backwards)]), 400, "The workbook is broken"),
        (workbook(&[(name, b"<worksheet/>")]), 400, "The workbook is broken"),
        (workbook(&[(name, &sheet(""))]), 422, "Must begin with a header row"),
        (workbook(&[("xl/workbook.xml", b"<workbook><sheets/></workbook>")]), 400, "has no sheet"),
        (whole[..whole.len() / 2].to_vec(), 400, "not a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old".to_vec(), 400, "an old workbook (.xls) or one with a password"),
        (b"%PDF-1.7".to_vec(), 400, "not a workbook (.xlsx). Send CSV as text/csv."),
        (b"ID,Title\n".to_vec(), 400, "not a workbook (.xlsx)"),
        (Vec::new(), 400, "not a workbook (.xlsx)"),
    ] {
        let answer = post_workbook(&client, &path, &bytes);
        assert_eq!(answer.status, status, "{words}: {}", answer.text);
        assert!(answer.text.contains(words), "{words}: {}", answer.text);
    }
    let told = client.send("POST", &path, &[("content-type", "text/csv")], &whole).problem(400, "malformed-request");
    assert!(told["detail"].as_str().unwrap().contains("is a workbook, not CSV"), "{told}");
    for media_type in ["application/vnd.ms-excel.sheet.macroenabled.12", "application/vnd.ms-excel", "application/zip"]
    {
        let answer = client.send("POST", &path, &[("content-type", media_type)], &whole);
        answer.problem(415, "unsupported-media-type");
    }
    assert!(rows(&app).is_empty());
}

/// What an erratic client or a bad line makes of a workbook is refused or read, and never ends the server.
#[test]
fn a_workbook_with_a_wrong_byte_is_refused_or_read() {
    let (_app, client, path) = library();
    let whole = file("no-positions.xlsx");
    for at in (0..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let answer = post_workbook(&client, &format!("{path}?dry_run=true"), &bytes);
        assert!([200, 400, 422].contains(&answer.status), "{at}: {}", answer.text);
    }
}

#[test]
fn a_workbook_is_applied_later_as_a_job_and_known_by_its_key() {
    let (app, client, path) = library();
    let headers = [("content-type", XLSX), ("prefer", "respond-async"), ("idempotency-key", "a-sheet-of-ours")];
    let bytes = file("volunteers-words.xlsx");
    let taken = client.send("POST", &path, &headers, &bytes);
    assert_eq!(taken.status, 202, "{}", taken.text);
    let job = ended(&client, &taken);
    assert_eq!((&job["status"], &job["result"]["counts"]["created"]), (&json!("succeeded"), &json!(2)), "{job}");
    assert_eq!(client.send("POST", &path, &headers, &bytes).header("location"), taken.header("location"));
    assert_eq!(rows(&app).len(), 6);
}

/// A year of single sessions, as a workbook and as CSV.
#[test]
fn a_year_as_a_workbook_is_planned_like_the_same_year_as_csv() {
    let (_app, client, path) = library();
    let header = ["external_id", "title", "pillar", "delivery", "local_start", "time_zone", "duration_minutes"];
    let (mut csv, mut sheet) = (header.join(",") + "\n", String::from("<worksheet><sheetData>"));
    let text = |cell: &str| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>");
    let row = |cells: &[&str]| format!("<row>{}</row>", cells.iter().map(|cell| text(cell)).collect::<String>());
    sheet.push_str(&row(&header));
    for n in 0..31_200 {
        let (id, start) = (format!("s{n}"), format!("2027-{:02}-{:02}T{:02}:00:00", n % 12 + 1, n % 28 + 1, n % 9 + 9));
        let cells = [id.as_str(), "Reading", "community", "online", &start, "Europe/London", "90"];
        csv.push_str(&(cells.join(",") + "\n"));
        sheet.push_str(&row(&cells));
    }
    sheet.push_str("</sheetData></worksheet>");
    let bytes = workbook(&[("xl/worksheets/sheet1.xml", sheet.as_bytes())]);
    let path = format!("{path}?dry_run=true");
    let began = std::time::Instant::now();
    let of_csv = post_csv(&client, &path, &csv).expect(200);
    let csv_took = began.elapsed();
    let of_workbook = post_workbook(&client, &path, &bytes).expect(200);
    println!("CSV {csv_took:?}, workbook {:?}", began.elapsed() - csv_took);
    assert_eq!(of_workbook["counts"], counts(31_200, 0, 0, 0));
    assert_eq!(of_workbook, of_csv);
}
