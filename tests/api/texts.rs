//! Texts: two spellings of one thing are one thing, what is required says something, and what is read is what is kept.

use serde_json::{Value, json};

use crate::rosters::{counts, post_csv, reader, roster, series, single, with};
use crate::support::{App, Client, id, member};

fn ids(advisor: &Client, search: Value) -> Vec<String> {
    let found = advisor.post("/v1/members/search", &search).expect(200);
    found["items"].as_array().unwrap().iter().map(|item| id(item).to_owned()).collect()
}

fn person(given: &str, family: &str) -> Value {
    json!({ "given_name": given, "family_name": family, "date_of_birth": "1980-05-17", "roles": ["service_user"] })
}

#[test]
fn a_name_is_one_name_however_it_is_spelt() {
    let app = App::start();
    let advisor = app.advisor();
    for (written, other) in [
        (("Андрей", "Шевченко"), ("Андреи\u{306}", "ШЕВЧЕНКО")),
        (("Ṣade", "Ọlá"), ("Sade", "O\u{323}la\u{301}")),
        (("Oksana", "D'Yak"), ("OKSANA", "D\u{2bc}Yak")),
        (("Νίκος", "Παππάς"), ("ΝΙΚΟΣ", "ΠΑΠΠΑΣ")),
        (("Łukasz", "Groß"), ("Lukasz", "GROSS")),
        (("Layla", "Al-Hassan"), ("Layla", "Al\u{2011}Hassan")),
        (("Noor", "El Amin"), ("Noor", "Elamin")),
        (("Jose\u{200b}", "Peña"), ("José", "Pen\u{303}a")),
        (("مُحَمَّد", "الأمين"), ("محمد", "الامين")),
    ] {
        let known = advisor.post("/v1/members", &person(written.0, written.1)).expect(201);
        let problem = advisor.post("/v1/members", &person(other.0, other.1)).problem(409, "possible-duplicate");
        assert_eq!(problem["candidates"][0]["id"], known["id"], "{other:?}");
        for (given, family) in [written, other] {
            for name in [given.to_owned(), family.to_owned(), format!("{family} {given}")] {
                assert_eq!(ids(&advisor, json!({ "name": name })), [id(&known)], "{name}");
            }
        }
    }
    // Vowels of other scripts are no accents: the names are near, and not one.
    advisor.post("/v1/members", &person("मीरा", "हिन्दी")).expect(201);
    advisor.post("/v1/members", &person("मरा", "हिन्दी")).problem(409, "possible-duplicate");
    advisor.post("/v1/members?confirm_not_duplicate=true", &person("मरा", "हिन्दी")).expect(201);
}

#[test]
fn a_name_is_found_by_each_of_its_words_and_by_its_words_run_together() {
    let app = App::start();
    let advisor = app.advisor();
    let people =
        [("Priya", "Patel-Thistlewood"), ("Lucía", "Almeida Martínez"), ("Maria José", "Reis"), ("Omar", "Al-Hassan")];
    let known = people.map(|(given, family)| id(&member(&advisor, given, family)).to_owned());
    let [priya, lucia, maria, omar] = &known;
    for (name, found) in [
        ("Thistlewood", priya),
        ("patelthistlewood", priya),
        ("patel thistle", priya),
        ("thistlewood priya", priya),
        ("Martinez", lucia),
        ("almeidamart", lucia),
        ("Jose", maria),
        ("mariajose", maria),
        ("Alhassan", omar),
        ("al hassan", omar),
        ("hassan", omar),
    ] {
        assert_eq!(ids(&advisor, json!({ "name": name })), std::slice::from_ref(found), "{name}");
    }
    let joined = id(&member(&advisor, "Zara", "Alhassan")).to_owned();
    assert_eq!(ids(&advisor, json!({ "name": "al-hassan" })), [omar.clone(), joined.clone()]);
    for name in ["Zara Al-Hassan", "al hassan zara", "Hassan, Zara", "Al Hassan Zara", "za al has"] {
        assert_eq!(ids(&advisor, json!({ "name": name })), std::slice::from_ref(&joined), "{name}");
    }
    for name in ["zara hassan omar", "za ra", "al omar priya"] {
        assert!(!ids(&advisor, json!({ "name": name })).contains(omar), "{name}");
    }
    assert_eq!(ids(&advisor, json!({ "name": "stlewood" })), Vec::<String>::new());
    // A changed name is found, and the old one no longer.
    let path = format!("/v1/members/{omar}");
    advisor.patch(&path, "\"1\"", &json!({ "family_name": "Newton-Bell", "preferred_name": "Ozzie" })).expect(200);
    assert_eq!(ids(&advisor, json!({ "name": "ozzie bell" })), std::slice::from_ref(omar));
    assert_eq!(ids(&advisor, json!({ "name": "omar hassan" })), Vec::<String>::new());
}

#[test]
fn a_person_may_have_one_name() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &json!({ "given_name": "Suharto", "roles": ["carer"] })).expect(201);
    assert!(known.get("family_name").is_none_or(Value::is_null), "{known}");
    let found = advisor.post("/v1/members/search", &json!({ "name": "suharto" })).expect(200);
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["display_name"]), (&known["id"], &json!("Suharto")));
    let path = format!("/v1/members/{}", id(&known));
    let married = advisor.patch(&path, "\"1\"", &json!({ "family_name": "Reid" })).expect(200);
    assert_eq!(married["family_name"], "Reid");
    let alone = advisor.patch(&path, "\"2\"", &json!({ "family_name": null })).expect(200);
    assert!(alone.get("family_name").is_none_or(Value::is_null), "{alone}");
}

#[test]
fn names_are_one_line_of_text() {
    let app = App::start();
    let advisor = app.advisor();
    for name in ["Ann\u{202e}", "Ann\nReid", "An\u{200f}n", "Ann\u{7}", "Ann\u{2028}", "A\tB", "A\u{1b}"] {
        let body = json!({ "given_name": format!("{name}x"), "roles": ["carer"] });
        let problem = advisor.post("/v1/members", &body).invalid(&["/given_name"]);
        assert_eq!(problem["errors"][0]["code"], "not_text", "{name:?}");
    }
    for name in ["Ann-Marie O’Neil", "می\u{200c}نا"] {
        let made = advisor.post("/v1/members", &json!({ "given_name": name, "roles": ["carer"] })).expect(201);
        assert_eq!(made["given_name"], name);
    }
}

#[test]
fn a_text_is_read_in_one_way() {
    let app = App::start();
    let body = |at: usize, text: &str| json!({ "slug": format!("p{at}"), "name": "P", "kind": "charity", "description": text });
    for (at, (sent, kept)) in [
        (" reader-1\t\n", "reader-1"),
        ("\u{a0}\u{200b}reader-1\u{feff}\u{3000}", "reader-1"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("Cafe\u{301}", "Café"),
        ("a  b", "a  b"),
        ("\u{200b}x", "x"),
        ("שלום\u{200f}!", "שלום\u{200f}!"),
        ("🎃", "🎃"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = app.admin().post("/v1/partners", &body(at, sent)).expect(201);
        assert_eq!(made["description"], kept, "{sent:?}");
    }
    for text in ["bell\u{7}", "one\u{1b}two"] {
        let problem = app.admin().post("/v1/partners", &body(0, text)).invalid(&["/description"]);
        assert_eq!(problem["errors"][0]["code"], "not_text", "{text:?}");
    }
}

#[test]
fn a_telephone_number_is_one_number_whatever_separates_its_digits() {
    let app = App::start();
    let advisor = app.advisor();
    for (given, spellings, kept) in [
        (
            "Ann",
            ["0151 496 0123", "0151\u{a0}496\u{a0}0123", "0151\u{2011}496\u{2011}0123", "+44 (0)151.496/0123"],
            "+441514960123",
        ),
        (
            "Ben",
            ["+353 1 234 5678", "+353 (0)1 234 5678", "00353 (0) 1 234\u{2013}5678", "\u{202a}+353\u{202c} 12345678"],
            "+35312345678",
        ),
    ] {
        let mut known = Vec::new();
        for (number, phone) in spellings.iter().enumerate() {
            let body = json!({ "given_name": format!("{given}{number}"), "roles": ["carer"], "phone": phone });
            let made = advisor.post("/v1/members", &body).expect(201);
            assert_eq!(made["phone"], kept, "{phone}");
            known.push(id(&made).to_owned());
        }
        for phone in spellings {
            assert_eq!(ids(&advisor, json!({ "phone": phone })), known, "{phone}");
        }
    }
}

#[test]
fn nhs_numbers_and_postcodes_may_be_pasted_and_ten_equal_digits_are_no_number() {
    let app = App::start();
    let advisor = app.advisor();
    let body = |number: &str, postcode: &str| json!({ "given_name": "Ann", "roles": ["carer"], "nhs_number": number, "postcode": postcode });
    let made =
        advisor.post("/v1/members", &body("943\u{a0}476\u{2011}5919\u{200b}", "\u{200e}l9\u{a0}1aa")).expect(201);
    assert_eq!((&made["nhs_number"], &made["postcode"]), (&json!("9434765919"), &json!("L9 1AA")));
    for number in ["943.476.5919", " 943 – 476 – 5919 ", "\u{202d}9434765919\u{202c}"] {
        assert_eq!(ids(&advisor, json!({ "nhs_number": number })), [id(&made)], "{number}");
        let problem = advisor.post("/v1/members", &body(number, "L9 1AA")).problem(409, "already-exists");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    for digit in 0..10 {
        let number = digit.to_string().repeat(10);
        let problem = advisor.post("/v1/members", &body(&number, "L9 1AA")).invalid(&["/nhs_number"]);
        assert_eq!(problem["errors"][0]["code"], "not_issued", "{number}");
    }
}

#[test]
fn a_password_is_the_same_password_on_every_keyboard() {
    let app = App::start();
    let (composed, decomposed) = ("café résumé brûlée", "cafe\u{301} re\u{301}sume\u{301} bru\u{302}le\u{301}e");
    for (email, set, typed) in [
        ("a@example.org", composed, decomposed),
        ("b@example.org", decomposed, composed),
        ("d@example.org", "paper\u{a0}boat\u{3000}and lamp", "paper boat and lamp"),
    ] {
        app.admin().post("/v1/users", &json!({ "email": email, "role": "analyst", "password": set })).expect(201);
        let log_in = |password: &str| {
            app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password })).status
        };
        assert_eq!((log_in(set), log_in(typed), log_in("cafe resume brulee")), (200, 200, 401));
    }
    // Eight letters are eight letters, however they are typed; and nothing is trimmed.
    let body = |password: &str| json!({ "email": "c@example.org", "role": "analyst", "password": password });
    let problem = app.admin().post("/v1/users", &body("e\u{301}e\u{301}e\u{301}e\u{301}")).invalid(&["/password"]);
    assert_eq!(problem["errors"][0]["code"], "too_short");
    app.admin().post("/v1/users", &body(" ﬁne ｗｉｄｅ Straße ")).expect(201);
    for other in ["ﬁne ｗｉｄｅ Straße", " fine wide Straße ", " ﬁne ｗｉｄｅ Strasse ", " ﬁne ｗｉｄｅ straße "]
    {
        let login = json!({ "email": "c@example.org", "password": other });
        app.anonymous().post("/v1/auth/login", &login).problem(401, "unauthenticated");
    }
}

#[test]
fn what_is_on_and_venues_are_found_by_any_spelling() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({
        "slug": "osulelu", "name": "Ọ̀ṣun Café – Saint\u{2011}Éloi", "kind": "library", "local_authority": "Liverpool"
    });
    admin.post("/v1/venues", &body).expect(201);
    let session = json!({
        "title": "Ṣọlá’s choir", "pillar": "community", "delivery": "online", "local_start": "2026-12-01T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60
    });
    admin.post("/v1/sessions", &session).expect(201);
    for q in
        ["sola", "%E1%B9%A2%E1%BB%8CL%C3%81", "so%CC%A3la%CC%81s+CHOIR", "sola%27s", "S%CC%A3%E1%BB%8Dl%C3%A1%CA%BCs"]
    {
        let found = app.anonymous().get(&format!("/v1/sessions?q={q}")).expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{q}");
    }
    for q in ["osun", "cafe%CC%81", "saint+eloi"] {
        let found = app.anonymous().get(&format!("/v1/venues?q={q}")).expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{q}");
    }
}

#[test]
fn a_roster_names_spaces_in_any_spelling() {
    let (app, client, path) = reader();
    let venues = app.anonymous().get("/v1/venues").expect(200);
    let spaces = format!("/v1/venues/{}/spaces", id(&venues["items"][0]));
    let garden = app.admin().post(&spaces, &json!({ "name": "Café Room" })).expect(201);
    for (number, space) in ["Café Room", "CAFE ROOM", "cafe\u{301}-room", id(&garden)].into_iter().enumerate() {
        let start = format!("2027-01-0{}T13:00:00", number + 4);
        let entry = with(
            single(&format!("s{number}")),
            json!({ "space": space, "venue": "walton", "delivery": "in_person", "local_start": start }),
        );
        assert_eq!(client.post(&path, &roster(&[entry])).expect(201)["counts"], counts(1, 0, 0, 0), "{space}");
    }
    let entry = with(single("x"), json!({ "space": "Garden", "venue": "walton", "delivery": "in_person" }));
    let problem = client.post(&path, &roster(&[entry])).problem(422, "roster-refused");
    assert_eq!(problem["errors"][0]["code"], "unknown_space");
}

#[test]
fn a_text_of_a_roster_says_something_and_is_read_in_one_way() {
    let (_app, client, path) = reader();
    for blank in [" ", "\u{200b}", "\u{a0}\u{2060}", "\u{3164}"] {
        let entry = with(single("a"), json!({ "external_id": blank, "title": blank }));
        let problem = client.post(&path, &roster(&[entry])).problem(422, "roster-refused");
        let errors = problem["errors"].as_array().unwrap();
        let found: Vec<_> =
            errors.iter().map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
        assert_eq!(found, [("/entries/0/external_id", "blank"), ("/entries/0/title", "blank")], "{blank:?}");
    }
    // One roster as JSON, as NDJSON and as a spreadsheet; with blanks and in pieces: one series.
    let entry =
        with(series(" reader-1\u{a0}"), json!({ "title": "\tCafe\u{301} and talk ", "description": "One\r\ntwo" }));
    let first = client.post(&path, &roster(std::slice::from_ref(&entry))).expect(201);
    assert_eq!(first["counts"], counts(1, 0, 0, 0));
    let get = |name: &str| entry[name].as_str().unwrap().trim().to_owned();
    let ndjson =
        with(entry.clone(), json!({ "external_id": "reader-1", "title": "Café and talk", "description": "One\ntwo" }));
    let lines = client.send("POST", &path, &[("content-type", "application/x-ndjson")], ndjson.to_string().as_bytes());
    assert_eq!(lines.expect(201)["counts"], counts(0, 0, 1, 0));
    let names = ["pillar", "delivery", "venue", "local_start", "time_zone", "recurrence"]
        .into_iter()
        .filter(|name| entry.get(*name).is_some());
    let names: Vec<&str> = names.collect();
    let header = format!("external_id;title;description;duration_minutes;{}", names.join(";"));
    let cells: Vec<String> = names.iter().map(|name| format!("\"{}\"", get(name))).collect();
    let more: Vec<(&str, String)> =
        ["capacity", "programme"].into_iter().filter_map(|name| Some((name, entry.get(name)?.to_string()))).collect();
    let (more_names, more_cells): (Vec<&str>, Vec<String>) = more.into_iter().unzip();
    let minutes = &entry["duration_minutes"];
    for end in ["\n", "\r\n", "\r"] {
        let text = format!(
            "{header};{}{end} reader-1 ;\"Café and talk\";\"One{end}two\";{minutes}.0;{};{}{end}",
            more_names.join(";"),
            cells.join(";"),
            more_cells.join(";")
        );
        let body = post_csv(&client, &path, &text).expect(201);
        assert_eq!(body["counts"], counts(0, 0, 1, 0), "{text}");
    }
}

#[test]
fn a_reason_that_says_nothing_is_no_reason() {
    let app = App::start();
    let admin = app.admin();
    let session = json!({
        "title": "Choir", "pillar": "community", "delivery": "online", "local_start": "2026-12-01T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60
    });
    let made = admin.post("/v1/sessions", &session).expect(201);
    let path = format!("/v1/sessions/{}/cancel", id(&made));
    for blank in
        ["", "  ", "\u{200b}", "\u{202e}\u{2800}", "\u{200d}\u{2060}", "\u{ad}", "\u{3164}", "\u{301}", "\u{a0}\t\n"]
    {
        let problem = admin.post(&path, &json!({ "reason": blank })).invalid(&["/reason"]);
        assert_eq!(problem["errors"][0]["code"], "blank", "{blank:?}");
    }
    // What is kept has no blanks around it.
    admin.post(&path, &json!({ "reason": " The hall is flooded.\n" })).expect(200);
    let read = admin.get(&format!("/v1/sessions/{}", id(&made))).expect(200);
    assert_eq!(read["cancellation_reason"], "The hall is flooded.");
}

#[test]
fn dates_are_as_rfc_3339_writes_them_in_bodies_and_queries() {
    let app = App::start();
    for date in [
        "1980- 1- 1",
        "+198-01-01",
        "-198-01-01",
        "1980-1-01",
        "19800101",
        "1980-02-30",
        "1980-13-01",
        " 1980-01-01",
        "1980-01-01T",
        "\u{ff11}980-01-1",
        "",
    ] {
        let body = with(person("Ann", "Reid"), json!({ "date_of_birth": date }));
        let problem = app.advisor().post("/v1/members", &body).invalid(&["/date_of_birth"]);
        assert_eq!(problem["errors"][0]["code"], "wrong_format", "{date}");
    }
    for date in ["%2B2026-1-01", "2026-%201-01", "2026-1-1", "%2B026-11-01"] {
        let problem = app.anonymous().get(&format!("/v1/sessions?from={date}")).wrong_parameter("from");
        assert!(problem["detail"].as_str().unwrap().starts_with("from: "), "{problem}");
    }
    for (name, number) in
        [("limit", "%2B5"), ("limit", "05"), ("limit", "5.0"), ("limit", "%205"), ("has_space", "True")]
    {
        app.anonymous().get(&format!("/v1/sessions?{name}={number}")).wrong_parameter(name);
    }
}

#[test]
fn addresses_are_kept_as_they_were_checked() {
    let app = App::start();
    let admin = app.admin();
    let body = |website: &str| json!({ "slug": "p", "name": "P", "kind": "charity", "website": website });
    for website in [
        "https://a.example/\r\nATTENDEE:mailto:x@example.org",
        "https://a.example/a b",
        "https://a.example/\u{202e}gpj",
        "https://a.example\n",
        " https://a.example",
        "https://a.example/é",
        "https://a.example/\t",
        "https://a.example/%zz",
        "https://a.example/<x>",
        "https:///x",
        "https:x",
        "ftp://a.example",
        "javascript:alert(1)",
        "//a.example",
        "a.example",
        "",
    ] {
        let problem = admin.post("/v1/partners", &body(website)).invalid(&["/website"]);
        assert_eq!(problem["errors"][0]["code"], "wrong_format", "{website:?}");
    }
    for (at, (website, kept)) in [
        ("HTTPS://A.example/%C3%A9?x=1#y", "https://a.example/%C3%A9?x=1#y"),
        ("http://a.example:8080", "http://a.example:8080"),
        ("https://[2001:db8::1]/%E2%80%AE", "https://[2001:db8::1]/%E2%80%AE"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = admin.post("/v1/partners", &with(body(website), json!({ "slug": format!("p{at}") }))).expect(201);
        assert_eq!(made["website"], kept);
    }
}
