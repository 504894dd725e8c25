//! Postcodes: how an operator imports them, and what the record does with them.

use std::io::{Cursor, Write};
use std::process::{Command, Output};

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, postcodes};
use life_rooms::db::{Json, Location};
use serde_json::{Value, json};

use crate::support::{App, id};

/// A directory as the Office for National Statistics writes it, much shortened.
const DIRECTORY: &str = "\u{feff}pcd,pcd2,pcds,dointr,doterm,oslaua,ctry,lat,long,imd\r\n\
    \"L9 1AA\",\"L9  1AA\",\"L9 1AA\",198001,,E08000012,E92000001,53.4612,-2.9637,17\r\n\
    \"L20 3AA\",\"L20 3AA\",\"L20 3AA\",198001,,E08000014,E92000001,53.4501,-2.9922,301\r\n\
    \"G1  1AA\",\"G1   1AA\",\"G1 1AA\",198001,199906,S12000049,S92000003,99.999999,0.000000,0\r\n\
    \"JE2 3AB\",\"JE2  3AB\",\"JE2 3AB\",198001,,L99999999,L93000001,99.999999,0.000000,0\r\n";

fn import(app: &App, name: &str, bytes: &[u8]) -> Output {
    let file = app.key_dir().join(name);
    std::fs::write(&file, bytes).unwrap();
    let url = match &app.location {
        Location::Sqlite(path) => format!("sqlite://{path}"),
        Location::Postgres(url) => url.clone(),
    };
    let mut binary = Command::new(env!("CARGO_BIN_EXE_life-rooms"));
    let binary = binary.args(["postcodes", "import"]).arg(file).env("DATABASE_URL", url);
    binary.output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn good(output: &Output) {
    let expected = "Imported 3 postcodes.\nLeft out 1 lines that have no postcode, no local authority of today, or can't be read.\n";
    assert!(output.status.success() && said(output).ends_with(expected), "{}", said(output));
}

type Row = (String, String, Option<f64>, Option<f64>, String, Option<i32>);

fn rows(app: &App) -> Vec<Row> {
    postcodes::table.order(postcodes::postcode).load(&mut app.conn()).unwrap()
}

#[test]
fn a_directory_is_imported_beside_a_running_server_and_again() {
    let app = App::start();
    good(&import(&app, "onspd.csv", DIRECTORY.as_bytes()));
    let first = rows(&app);
    let row = |code: &str, la: &str, place: Option<(f64, f64)>, country: &str, rank| {
        (code.to_owned(), la.to_owned(), place.map(|at| at.0), place.map(|at| at.1), country.to_owned(), rank)
    };
    let expected = [
        row("G1 1AA", "S12000049", None, "scotland", None),
        row("L20 3AA", "E08000014", Some((53.4501, -2.9922)), "england", Some(301)),
        row("L9 1AA", "E08000012", Some((53.4612, -2.9637)), "england", Some(17)),
    ];
    assert_eq!(first, expected);
    good(&import(&app, "onspd.csv", DIRECTORY.as_bytes()));
    assert_eq!(rows(&app), first);
    // A newer edition, with its columns under other names and in another order, takes the place of what it names.
    let newer = "lad25cd,lat,long,pcds,imd25ind\nE08000011,53.47,-2.96,L9 1AA,18\n";
    let output = import(&app, "nspl.csv", newer.as_bytes());
    assert!(said(&output).ends_with("Imported 1 postcodes.\n"), "{}", said(&output));
    assert_eq!(rows(&app)[2], row("L9 1AA", "E08000011", Some((53.47, -2.96)), "england", Some(18)));
    assert_eq!(rows(&app)[..2], first[..2]);
}

#[test]
fn a_line_that_is_not_utf_8_is_left_out_and_the_rest_is_imported() {
    let app = App::start();
    let spoilt = b"L9 1A\xc4,L9 1A\xc4,L9 1A\xc4,198001,,E08000012,E92000001,53.4,-2.9,17\r\n";
    let (header, lines) = DIRECTORY.as_bytes().split_at(DIRECTORY.find("\r\n").unwrap() + 2);
    let output = import(&app, "onspd.csv", &[header, &spoilt[..], lines].concat());
    assert!(said(&output).contains("Imported 3 postcodes.\nLeft out 2 lines"), "{}", said(&output));
    assert_eq!(rows(&app).len(), 3);
}

#[test]
fn the_largest_csv_of_an_archive_is_the_directory() {
    let app = App::start();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("Documents/names.csv", "code,name\nE08000012,Liverpool\n"),
        ("Data/ONSPD_NOV_2026_UK.csv", DIRECTORY),
        ("User Guide/guide.txt", &"Read this first. ".repeat(200)),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    good(&import(&app, "onspd.zip", &bytes));
    assert_eq!(rows(&app).len(), 3);
}

#[test]
fn what_is_no_directory_is_refused_with_a_sentence() {
    let app = App::start();
    let empty = zip::ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    let mut other = zip::ZipWriter::new(Cursor::new(Vec::new()));
    other.start_file("guide.txt", zip::write::SimpleFileOptions::default()).unwrap();
    other.write_all(b"Hello").unwrap();
    for (bytes, sentence) in [
        (
            &b"name,code\nLiverpool,E08000012\n"[..],
            "the file has no column named pcds, pcd8, pcd2, pcd7, pcd, postcode",
        ),
        (b"pcds,lat\nL9 1AA,53.4\n", "the file has no column named lad25cd, laua, oslaua, ladcd"),
        (b"", "the file has no column named"),
        (b"PK\x03\x04 and no more", "the file can't be read"),
        (&other.finish().unwrap().into_inner(), "the archive holds no CSV file"),
        (&empty, "the file has no column named"),
    ] {
        let output = import(&app, "wrong.csv", bytes);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(sentence), "{sentence}: {}", said(&output));
    }
    assert_eq!(rows(&app), Vec::<Row>::new());
}

#[test]
fn the_local_authority_is_filled_in_from_the_postcode_where_none_is_given() {
    let app = App::start();
    let advisor = app.advisor();
    let made = |given: &str, changes: Value| {
        let mut body = json!({ "given_name": given, "roles": ["public"] });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        advisor.post("/v1/members", &body).expect(201)
    };
    let before = made("Before", json!({ "postcode": "L9 1AA" }));
    assert_eq!((&before["local_authority"], &before["local_authority_mismatch"]), (&Value::Null, &json!(false)));
    good(&import(&app, "onspd.csv", DIRECTORY.as_bytes()));
    let filled = made("Ann", json!({ "postcode": "l91aa" }));
    assert_eq!(
        (&filled["local_authority"], &filled["local_authority_code"]),
        (&json!("Liverpool"), &json!("E08000012"))
    );
    assert_eq!(filled["local_authority_mismatch"], false);
    let unknown = made("Bob", json!({ "postcode": "M1 1AE" }));
    assert_eq!((&unknown["local_authority"], &unknown["local_authority_mismatch"]), (&Value::Null, &json!(false)));
    let differs = made("Cat", json!({ "postcode": "L9 1AA", "local_authority": "Sefton" }));
    assert_eq!((&differs["local_authority"], &differs["local_authority_mismatch"]), (&json!("Sefton"), &json!(true)));
    // A record from before is filled in when something else of it is next changed, and the event says so.
    let path = format!("/v1/members/{}", id(&before));
    let fields = || -> Vec<Vec<String>> {
        let changes = audit_events::table.filter(audit_events::action.eq("change")).order(audit_events::id);
        let rows: Vec<Json<Vec<String>>> = changes.select(audit_events::fields).load(&mut app.conn()).unwrap();
        rows.into_iter().map(|fields| fields.0).collect()
    };
    for nothing in [json!({}), json!({ "postcode": "l9 1aa" }), json!({ "local_authority": null })] {
        let same = advisor.patch(&path, "\"1\"", &nothing).expect(200);
        assert_eq!((&same["local_authority"], &same["version"]), (&Value::Null, &json!(1)), "{nothing}");
    }
    assert_eq!(fields(), Vec::<Vec<String>>::new());
    let changed = advisor.patch(&path, "\"1\"", &json!({ "town": "Liverpool" })).expect(200);
    assert_eq!(changed["local_authority"], "Liverpool");
    assert_eq!(fields(), [["town", "local_authority"]]);
    // What is filled in with the same again is no change.
    let same = advisor.patch(&path, "\"2\"", &json!({ "local_authority": null })).expect(200);
    assert_eq!((&same["local_authority"], &same["version"], fields().len()), (&json!("Liverpool"), &json!(2), 1));
}

#[test]
fn whoever_moves_house_gets_the_local_authority_of_the_new_postcode() {
    let app = App::start();
    let advisor = app.advisor();
    good(&import(&app, "onspd.csv", DIRECTORY.as_bytes()));
    let body = json!({ "given_name": "Ann", "postcode": "L9 1AA", "roles": ["public"] });
    let path = format!("/v1/members/{}", id(&advisor.post("/v1/members", &body).expect(201)));
    let patch = |body: Value| {
        let tag = advisor.get(&path);
        let shown = advisor.patch(&path, tag.etag(), &body).expect(200);
        (shown["local_authority"].clone(), shown["local_authority_mismatch"].clone())
    };
    assert_eq!(patch(json!({ "postcode": "L20 3AA" })), (json!("Sefton"), json!(false)));
    // A postcode that nobody knows leaves it.
    assert_eq!(patch(json!({ "postcode": "M1 1AE" })), (json!("Sefton"), json!(false)));
    // What somebody says stands, and the record says that it doesn't fit.
    assert_eq!(patch(json!({ "postcode": "L9 1AA", "local_authority": "Wirral" })), (json!("Wirral"), json!(true)));
    assert_eq!(patch(json!({ "postcode": "L20 3AA" })), (json!("Wirral"), json!(true)));
    assert_eq!(patch(json!({ "local_authority": null })), (json!("Sefton"), json!(false)));
}
