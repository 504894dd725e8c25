//! Spreadsheets as people make them: one roster, written in many ways.

use serde_json::json;

use crate::rosters::{counts, pointers, post_csv, reader, rows};

const PLAIN: &str = "external_id,description,title,pillar,delivery,venue,local_start,time_zone,duration_minutes,recurrence,excluded\n\
    a,,\"Read, and talk\",community,in_person,walton,2027-01-05T09:30:00,Europe/London,90,FREQ=WEEKLY;COUNT=4,2027-01-12T09:30:00\n\
    b,\"Two\nlines\",Two,community,online,,2027-01-06T13:00:00,Europe/London,60,,\n";

/// The same table with its columns in another order.
fn turned(text: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        writer.write_record(record.iter().rev()).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The same table with `;` between its cells.
fn semicolons(text: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    for record in reader.records() {
        writer.write_record(&record.unwrap()).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The same table as Excel saves it where cells at the right were once in use: a mark, CRLF, three nameless columns.
fn excel(text: &str) -> String {
    let inner = text.replace("Two\nlines", "Two~lines").replace('\n', ",,,\r\n").replace('~', "\n");
    format!("\u{feff}{inner}")
}

/// The same table with quotation marks around every cell.
fn quoted(text: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    for record in reader.records() {
        writer.write_record(&record.unwrap()).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn the_same_roster_however_its_spreadsheet_was_made_changes_nothing() {
    let (app, client, path) = reader();
    let first = post_csv(&client, &path, PLAIN).expect(201);
    assert_eq!(first["counts"], counts(2, 0, 0, 0));
    let before = rows(&app);
    assert_eq!(before.len(), 4);
    let header = PLAIN.lines().next().unwrap();
    let loud = "External_ID,description, TITLE ,Pillar,\"Delivery \",venue,Local Start,time-zone,Duration Minutes,RECURRENCE,Excluded";
    let slashes = |time: &str, excluded: &str| {
        PLAIN.replace("2027-01-05T09:30:00", time).replace("2027-01-12T09:30:00", excluded)
    };
    for (oddity, text) in [
        ("a byte-order mark", format!("\u{feff}{PLAIN}")),
        ("semicolons", semicolons(PLAIN)),
        ("trailing blank lines", format!("{PLAIN}\n\n,,,,,,,,,,\n \n")),
        ("no line end at the end", PLAIN.trim_end().to_owned()),
        ("headers in another order", turned(PLAIN)),
        ("headers in another case, with spaces", PLAIN.replace(header, loud)),
        ("Excel's dates", slashes("05/01/2027 09:30", "12/01/2027 09:30")),
        ("Excel's dates with seconds", slashes("05/01/2027 09:30:00", "12/01/2027 09:30:00")),
        ("short dates", slashes("5/1/2027 9:30", "12/1/2027 9:30")),
        ("shorter dates and the twelve-hour clock", slashes("5/1/27 9:30 AM", "12 Jan 2027 9.30am")),
        ("labels", PLAIN.replace(",in_person,", ",In person,").replace(",community,", ",Community,")),
        ("lengths in words", PLAIN.replace(",90,", ",1h30,").replace(",60,", ",1 hour,")),
        ("the venue's name", PLAIN.replace(",walton,", ",VENUE  Walton,")),
        ("ISO dates with a space", slashes("2027-01-05 09:30", "2027-01-12 09:30:00")),
        ("spaces around cells", PLAIN.replace(",walton,", " , walton ,").replace(",90,", ", 90 ,")),
        ("Excel's CSV UTF-8: a mark, CRLF, empty columns at the end", excel(PLAIN)),
        ("Excel's CSV of a country with decimal commas", excel(&semicolons(PLAIN)).replace(",,,\r\n", ";;;\r\n")),
        ("Excel's CSV for the Macintosh: CR alone", PLAIN.replace('\n', "\r")),
        ("CR alone and semicolons", semicolons(PLAIN).replace('\n', "\r")),
        ("a first line that names the separator", format!("sep=;\r\n{}", semicolons(PLAIN))),
        ("the same below a mark, in quotation marks", format!("\u{feff}\"sep=,\"\r\n{PLAIN}")),
        ("LibreOffice with every text in quotation marks", quoted(PLAIN)),
        ("a separator behind a space", format!("sep= ;\n{}", semicolons(PLAIN))),
        ("an invisible header cell", PLAIN.replacen("excluded\n", "excluded,\u{200b}\n", 1)),
        ("invisible cells", PLAIN.replace(",60,,", ",60,\u{200b},\u{2060}")),
        ("a list that ends in its separator", PLAIN.replace("2027-01-12T09:30:00", "2027-01-12T09:30:00|")),
        (
            "tabs that the first line names",
            format!("sep=\\t\n{}", PLAIN.replace("Read, and", "Read~ and").replace(',', "\t").replace('~', ",")),
        ),
        (
            "tabs",
            semicolons(PLAIN)
                .replace("COUNT=4", "COUNT-4")
                .replace(';', "\t")
                .replace("WEEKLY\t", "WEEKLY;")
                .replace("COUNT-4", "COUNT=4"),
        ),
        ("a whole number with a decimal point", PLAIN.replace(",90,", ",90.0,")),
        ("CRLF, also inside a cell", PLAIN.replace('\n', "\r\n")),
        ("quotation marks everywhere", PLAIN.replace(",90,", ",\"90\",").replace("\na,", "\n\"a\",")),
    ] {
        let body = post_csv(&client, &path, &text).expect(201);
        assert_eq!(body["counts"], counts(0, 0, 2, 0), "{oddity}: {body}");
        assert_eq!(rows(&app), before, "{oddity}");
    }
    let listed = app.admin().get("/v1/sessions").expect(200);
    assert!(listed["items"].as_array().unwrap().iter().any(|session| session["description"] == "Two\nlines"));
}

#[test]
fn white_space_around_a_text_counts_for_nothing_in_json_as_in_a_spreadsheet() {
    let (app, client, path) = reader();
    let text = "external_id,title,pillar,topics,programme,delivery,venue,local_start,time_zone,duration_minutes\n\
                 a , Choir,community , reading | calm,shared-reading , in_person, walton,2027-01-06T13:00:00, Europe/London,60\n";
    let first = post_csv(&client, &path, text).expect(201);
    assert_eq!(first["counts"], counts(1, 0, 0, 0), "{first}");
    let entry = json!({ "external_id": " a", "title": "Choir ", "pillar": " community", "topics": [" reading", "calm\t"],
        "programme": "\u{a0}shared-reading", "delivery": "in_person\n", "venue": "walton\u{200b}",
        "local_start": "2027-01-06T13:00:00", "time_zone": "Europe/London ", "duration_minutes": 60 });
    let again = client.post(&path, &json!({ "entries": [entry] })).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 1, 0), "{again}");
    let listed = app.admin().get("/v1/sessions?topic=reading").expect(200);
    assert_eq!(listed["items"][0]["topics"], json!(["reading", "calm"]));
}

#[test]
fn lines_are_told_right_below_cells_of_many_lines_and_blank_ones() {
    let (_app, client, path) = reader();
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("\u{feff}\n{PLAIN}\n\n").replace("in_person,walton", "in_person,nowhere") + "c,x\n\n";
        let body =
            post_csv(&client, &format!("{path}?mode=partial&dry_run=true"), &text.replace('\n', end)).expect(200);
        let lines: Vec<_> = body["entries"].as_array().unwrap().iter().map(|entry| &entry["line"]).collect();
        assert_eq!(lines, [&json!(3), &json!(4), &json!(8)], "{end:?}");
    }
}

#[test]
fn dates_that_are_ambiguous_or_impossible_are_told_apart() {
    let (_app, client, path) = reader();
    for (cell, words) in [
        ("1/13/2027 9:30", "no month 13"),
        ("31/02/2027 9:30", "no day 31"),
        ("5/1/2027", "no time of day"),
        ("5/1/2027 9", "morning or evening"),
        ("46392.3958333333", "number of days"),
        ("next Tuesday", "such as 2027-01-05T13:00:00"),
    ] {
        let text = PLAIN.replace("2027-01-05T09:30:00", cell);
        let problem = post_csv(&client, &path, &text).problem(422, "roster-refused");
        assert_eq!(pointers(&problem), ["/entries/0/local_start"], "{cell}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Line 2: ") && detail.contains(words), "{cell}: {detail}");
    }
    // JSON keeps to the one form that the document names.
    let entry = crate::rosters::with(crate::rosters::single("a"), json!({ "local_start": "05/01/2027 09:30" }));
    let problem = client.post(&path, &crate::rosters::roster(&[entry])).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/0/local_start"]);
}

#[test]
fn every_fault_of_a_row_is_told_at_once() {
    let (_app, client, path) = reader();
    let text = PLAIN
        .replace("2027-01-05T09:30:00", "31/02/2027 9:30")
        .replace("FREQ=WEEKLY;COUNT=4", "weekly")
        .replace("2027-01-12T09:30:00", "12/13/27 9:30")
        .replace(",walton,", ",waltn,")
        .replace(",90,", ",ninety,");
    let problem = post_csv(&client, &path, &text).problem(422, "roster-refused");
    let mut found = pointers(&problem);
    found.sort_unstable();
    let at = ["duration_minutes", "excluded/0", "local_start", "recurrence", "venue"];
    assert_eq!(found, at.map(|name| format!("/entries/0/{name}")), "{problem}");
    let text = PLAIN.replace("2027-01-12T09:30:00", "12/13/27 9:30").replace("COUNT=4", "COUNT=4;BYDAY=MO");
    let problem = post_csv(&client, &path, &text).problem(422, "roster-refused");
    assert_eq!(pointers(&problem).len(), 2, "a start outside its rule shows beside a wrong exclusion: {problem}");
}

#[test]
fn a_column_without_a_name_has_no_values_and_a_wrong_one_is_told_the_nearest() {
    let (_app, client, path) = reader();
    let text = excel(PLAIN).replacen(",,,\r\nb,", ",stray,,\r\nb,", 1);
    let problem = post_csv(&client, &path, &text).problem(422, "roster-refused");
    assert_eq!(problem["errors"][0]["code"], "unnamed_column", "{problem}");
    let text = PLAIN.replacen("title,pillar", "titel,pilar", 1);
    let problem = post_csv(&client, &path, &text).problem(422, "invalid-body");
    let unknown = problem["errors"].as_array().unwrap().iter().filter(|error| error["code"] == "unknown_column");
    let told: Vec<&str> = unknown.map(|error| error["detail"].as_str().unwrap()).collect();
    assert!(told[0].contains("The likeliest is title.") && told[1].contains("The likeliest is pillar."), "{problem}");
    assert!(!told[1].contains("booking_policy"), "{problem}");
}

/// What is wrong a million times is told a hundred times: an answer, and the memory it takes, stay small.
#[test]
fn a_spreadsheet_that_is_wrong_all_over_is_refused_in_few_words() {
    let (_app, client, path) = reader();
    let wide = "a,".repeat(100_000) + "\n";
    let refused = post_csv(&client, &path, &wide);
    assert!(refused.text.len() < 2_000, "{}", refused.text.len());
    assert_eq!(refused.problem(422, "invalid-body")["errors"][0]["code"], "too_many_columns");
    let times = "x|".repeat(100_000);
    let header = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,recurrence,excluded";
    let row = "a,Reading,community,online,2027-01-05T13:00:00,Europe/London,90,FREQ=WEEKLY;COUNT=2";
    let refused = post_csv(&client, &path, &format!("{header}\n{row},{times}\n"));
    assert!(refused.text.len() < 60_000, "{}", refused.text.len());
    let errors = refused.problem(422, "roster-refused")["errors"].as_array().unwrap().len();
    assert!((1..=100).contains(&errors), "{errors}");
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_refused_with_its_line() {
    let (app, client, path) = reader();
    post_csv(&client, &path, PLAIN).expect(201);
    let before = rows(&app);
    let head = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,description\n";
    let row =
        |id: &str, words: &str| format!("{id},Poems,community,online,2027-01-06T13:00:00,Europe/London,60,{words}\n");
    for (text, line, what) in [
        (row("a", "\"nobody closes this") + &row("b", ""), 2, "is never closed"),
        (row("a", "\"two\nlines\"") + &row("b", "\"cut short"), 4, "is never closed"),
        (row("a", "\"nobody closes this") + &row("b", "\"or this"), 3, "closes before the end of its cell"),
        (row("a", "\"Poems\" and tea"), 2, "closes before the end of its cell"),
        (row("a", "\"Poems\" \"and tea\""), 2, "closes before the end of its cell"),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("{head}{text}").replace('\n', end);
            let problem = post_csv(&client, &format!("{path}?missing=cancel"), &text).problem(400, "malformed-request");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("line {line} ")) && detail.contains(what), "{text:?}: {detail}");
        }
    }
    assert_eq!(rows(&app), before);
    let fine = head.to_owned() + &row("c", "\"Poems, \"\"and\"\" tea\"  ") + &row("b", "5\" deep");
    assert_eq!(post_csv(&client, &path, &fine).expect(201)["counts"], counts(1, 1, 0, 0));
}

#[test]
fn a_table_without_a_header_is_told_so_in_one_fault() {
    let (_app, client, path) = reader();
    let problem = post_csv(&client, &path, &format!("Our sessions in spring\n{PLAIN}")).invalid(&[""]);
    assert_eq!(problem["errors"][0]["code"], "no_header");
    let problem = post_csv(&client, &path, PLAIN.lines().next().unwrap()).invalid(&[""]);
    assert_eq!(problem["errors"][0]["code"], "too_few");
    let lines = json!({ "external_id": "a", "title": "Poems", "pillar": "community", "delivery": "online",
        "local_start": "2027-01-06T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 });
    let two = format!("{lines}\r{}\r", lines.to_string().replace("\"a\"", "\"b\""));
    let posted = client.send("POST", &path, &[("content-type", "application/x-ndjson")], two.as_bytes());
    assert_eq!(posted.expect(201)["counts"], counts(2, 0, 0, 0));
}

#[test]
fn a_list_joined_by_commas_is_told_the_sign_that_joins() {
    let (_app, client, path) = reader();
    let header = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,topics";
    for topics in ["\"reading,singing\"", "\"reading; singing\""] {
        let row = format!("a,Choir,community,online,2027-01-05T13:00:00,Europe/London,90,{topics}");
        let problem = post_csv(&client, &path, &format!("{header}\n{row}\n")).problem(422, "roster-refused");
        assert_eq!(pointers(&problem), ["/entries/0/topics/0"]);
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("The items of a list are joined by |"), "{detail}");
    }
}

#[test]
fn a_stray_comma_is_named_before_the_faults_that_come_of_it() {
    let (_app, client, path) = reader();
    let header = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,capacity";
    let row = |title: &str| format!("a,{title},community,online,2027-01-05T13:00:00,Europe/London,90,");
    let problem = post_csv(&client, &path, &format!("{header}\n{}\n", row("Sing, and dance")));
    let problem = problem.problem(422, "roster-refused");
    let first = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(first.contains("The row has 9 cells and the header 8."), "{problem}");
    assert!(problem["errors"].as_array().unwrap().len() > 1, "{problem}");
    // A row of a table with an empty cell too many is as good as one without.
    let answer = post_csv(&client, &path, &format!("{header}\n{},\n", row("Choir")));
    assert_eq!(answer.status, 201, "{}", answer.text);
}
