//! People who may be registered twice: what stops a registration, and the list that advisors go through.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::background;
use life_rooms::db::schema::{audit_events, possible_duplicates};
use life_rooms::db::{Conn, Id};
use life_rooms::tasks;
use serde_json::{Value, json};

use crate::account_links::{PASSWORD, form};
use crate::merges::merge;
use crate::support::{Answer, App, Client, id};

fn person(given: &str, family: &str, more: Value) -> Value {
    let mut body = json!({ "given_name": given, "family_name": family, "roles": ["service_user"] });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn born(given: &str, family: &str) -> Value {
    person(given, family, json!({ "date_of_birth": "1961-04-02" }))
}

fn register(advisor: &Client, body: &Value) -> Answer {
    advisor.post("/v1/members", body)
}

/// Registers somebody although they may be registered already.
fn confirmed(advisor: &Client, body: &Value) -> Value {
    advisor.post("/v1/members?confirm_not_duplicate=true", body).expect(201)
}

/// The pairs that a list shows: status, points and what speaks for them.
fn pairs(advisor: &Client, path: &str) -> Vec<(String, i64, Value)> {
    let page = advisor.get(path).expect(200);
    let line = |pair: &Value| {
        (pair["status"].as_str().unwrap().to_owned(), pair["score"].as_i64().unwrap(), pair["because"].clone())
    };
    page["items"].as_array().unwrap().iter().map(line).collect()
}

fn open(advisor: &Client) -> Vec<(String, i64, Value)> {
    pairs(advisor, "/v1/possible-duplicates")
}

/// Runs the task of the night. Returns whether anything was due.
fn night(app: &App) -> bool {
    let task =
        tasks::all().into_iter().find(|task| task.name == "possible-duplicates").expect("the server has the task");
    let run = background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

#[test]
fn the_pairs_of_the_table_stop_or_are_listed_or_are_nothing() {
    let home = json!({ "date_of_birth": "1961-04-02", "phone": "0151 496 0123", "postcode": "L9 1AA" });
    let elsewhere = json!({ "date_of_birth": "1975-11-20", "postcode": "PR8 1DJ" });
    for (one, other, score, outcome) in [
        (born("Nadia", "Neverdale"), born("Nadja", "Neverdale"), 26, "stops"),
        (born("Layla", "Al-Hassan"), born("Layla", "Alhassan"), 28, "stops"),
        (person("Amy", "Reid", home.clone()), person("Ava", "Reid", home.clone()), 16, "listed"),
        (person("John", "Smith", home.clone()), person("John", "Smith", elsewhere), 7, "nothing"),
        (
            person("Peg", "Reid", json!({ "postcode": "L9 1AA" })),
            person("Margaret", "Reid", json!({ "postcode": "L9 1AA" })),
            18,
            "stops",
        ),
        (born("Smith", "John"), born("John", "Smith"), 24, "stops"),
    ] {
        let app = App::start();
        let advisor = app.advisor();
        let known = register(&advisor, &one).expect(201);
        let answer = register(&advisor, &other);
        match outcome {
            "stops" => {
                let problem = answer.problem(409, "possible-duplicate");
                let candidate = &problem["candidates"][0];
                assert_eq!((&candidate["id"], &candidate["score"]), (&known["id"], &json!(score)), "{other}");
                assert!(!candidate["because"].as_array().unwrap().is_empty());
                assert_eq!(open(&advisor), [], "what is refused leaves nothing");
            }
            "listed" => {
                answer.expect(201);
                let listed = open(&advisor);
                assert_eq!((listed.len(), listed[0].1), (1, score), "{other}");
            }
            _ => {
                answer.expect(201);
                assert_eq!(open(&advisor), [], "{other}");
            }
        }
    }
}

#[test]
fn candidates_come_in_the_order_of_their_points_and_ten_at_most() {
    let app = App::start();
    let advisor = app.advisor();
    for _ in 0..11 {
        confirmed(&advisor, &born("Nadia", "Neverdale"));
    }
    let best = confirmed(
        &advisor,
        &person("Nadia", "Neverdale", json!({ "date_of_birth": "1961-04-02", "phone": "0151 496 0123" })),
    );
    let body = person("Nadja", "Neverdale", json!({ "date_of_birth": "1961-04-02", "phone": "0151 496 0123" }));
    let answer = register(&advisor, &body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let problem = answer.problem(409, "possible-duplicate");
    let scores: Vec<&Value> = problem["candidates"].as_array().unwrap().iter().map(|one| &one["score"]).collect();
    assert_eq!(problem["candidates"][0]["id"], best["id"]);
    assert_eq!(scores.len(), 10);
    assert_eq!((scores[0], scores[1], scores[9]), (&json!(33), &json!(26), &json!(26)));
}

#[test]
fn whoever_was_shown_and_confirmed_as_somebody_else_is_decided_about() {
    let app = App::start();
    let advisor = app.advisor();
    let known = register(&advisor, &born("Nadia", "Neverdale")).expect(201);
    let twin = person("Amy", "Neverdale", json!({ "date_of_birth": "1961-04-02" }));
    register(&advisor, &twin).expect(201);
    register(&advisor, &born("Nadja", "Neverdale")).problem(409, "possible-duplicate");
    let other = confirmed(&advisor, &born("Nadja", "Neverdale"));
    let pair = advisor.get(&format!("/v1/possible-duplicates/{}/{}", id(&other), id(&known))).expect(200);
    assert_eq!((&pair["status"], &pair["score"], &pair["version"]), (&json!("not_same"), &json!(26), &json!(1)));
    assert_eq!(pair["decided_by"], advisor.id.unwrap().to_string());
    assert_eq!(pair["decided_at"], "2026-11-23T09:00:00Z");
    // The twins weren't shown, so nobody has decided about them.
    let twins = pairs(&advisor, &format!("/v1/members/{}/possible-duplicates", id(&other)));
    assert_eq!(twins, [("open".to_owned(), 16, json!(["family_name", "birthday"]))]);
    assert_eq!(open(&advisor).len(), 2);
    assert_eq!(pairs(&advisor, "/v1/possible-duplicates?status=not_same").len(), 1);
}

#[test]
fn two_nhs_numbers_are_two_people() {
    let app = App::start();
    let advisor = app.advisor();
    let numbered = |number: &str| person("Ann", "Reid", json!({ "date_of_birth": "1961-04-02", "nhs_number": number }));
    register(&advisor, &numbered("943 476 5919")).expect(201);
    register(&advisor, &numbered("943 476 5870")).expect(201);
    assert_eq!(open(&advisor), []);
    register(&advisor, &born("Ann", "Reid")).problem(409, "possible-duplicate");
}

#[test]
fn nobody_is_asked_who_registers_alone_and_an_advisor_looks_later() {
    let (app, mails) = App::with_mail();
    let advisor = app.advisor();
    let known = register(&advisor, &person("Peg", "Reid", json!({ "email": "peg@example.org" }))).expect(201);
    let mut form = form("peg@example.org");
    (form["given_name"], form["family_name"]) = (json!("Margaret"), json!("Reid"));
    app.anonymous().post("/v1/members/self-registration", &form).expect(202);
    let token = mails.take(&app)[0].token();
    let body = json!({ "token": token, "password": PASSWORD });
    app.anonymous().post("/v1/auth/registrations/confirm", &body).expect(201);
    let page = advisor.get("/v1/possible-duplicates").expect(200);
    let pair = &page["items"][0];
    assert_eq!((&pair["status"], page["items"].as_array().unwrap().len()), (&json!("open"), 1));
    assert_eq!(pair["because"], json!(["family_name", "given_name_near", "email"]));
    assert!([&pair["a"], &pair["b"]].contains(&&known["id"]));
}

/// Three people who may be one, so that there are three pairs.
fn three(advisor: &Client) -> [Value; 3] {
    let names = ["Nadia", "Nadja", "Nadya"];
    names.map(|given| {
        let member = confirmed(advisor, &born(given, "Neverdale"));
        advisor.get(&format!("/v1/members/{}", id(&member))).expect(200)
    })
}

/// Opens all pairs again.
fn reopen(app: &App) {
    use possible_duplicates::{decided_at, decided_by, status};
    let open = (status.eq("open"), decided_by.eq(None::<Id>), decided_at.eq(None::<life_rooms::db::Timestamp>));
    diesel::update(possible_duplicates::table).set(open).execute(&mut app.conn()).unwrap();
}

#[test]
fn the_list_is_paged_filtered_and_audited_for_each_person_shown() {
    let app = App::start();
    let advisor = app.advisor();
    let people = three(&advisor);
    let amy = register(&advisor, &born("Amy", "Neverdale")).expect(201);
    reopen(&app);
    let first = advisor.get("/v1/possible-duplicates?limit=4");
    assert_eq!(first.header("cache-control"), "no-store");
    let mut seen: Vec<(i64, String, String)> = Vec::new();
    let mut page = first.json;
    loop {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|pair| (pair["score"].as_i64().unwrap(), text(&pair["a"]), text(&pair["b"]))));
        let Some(next) = page["next"].as_str() else { break };
        page = advisor.get(next).expect(200);
    }
    assert_eq!(seen.len(), 6);
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.reverse();
    sorted.dedup();
    assert_eq!(seen, sorted, "each once, those with the most points first");
    assert!(seen.iter().all(|(_, a, b)| a < b));
    assert_eq!(pairs(&advisor, "/v1/possible-duplicates?min_score=17").len(), 3);
    assert_eq!(pairs(&advisor, &format!("/v1/members/{}/possible-duplicates?min_score=17", id(&people[0]))).len(), 2);
    advisor.get("/v1/possible-duplicates?status=maybe").wrong_parameter("status");
    advisor.get("/v1/possible-duplicates?min_score=101").wrong_parameter("min_score");
    // One event for each person of a page.
    let of = |member: &Value| -> i64 {
        let its = audit_events::member_id.eq(id(member).parse::<Id>().unwrap());
        let listed = audit_events::table.filter(its).filter(audit_events::action.eq("list"));
        listed.count().get_result(&mut app.conn()).unwrap()
    };
    let before = of(&amy);
    advisor.get(&format!("/v1/members/{}/possible-duplicates", id(&amy))).expect(200);
    assert_eq!(of(&amy), before + 1);
    for client in [app.admin(), app.member(id(&amy)), app.analyst()] {
        client.get("/v1/possible-duplicates").problem(403, "forbidden");
        client.get(&format!("/v1/members/{}/possible-duplicates", id(&amy))).problem(403, "forbidden");
    }
}

#[test]
fn an_advisor_decides_about_a_pair_and_can_think_again() {
    let app = App::start();
    let advisor = app.advisor();
    let one = register(&advisor, &born("Amy", "Reid")).expect(201);
    let other = register(&advisor, &born("Ava", "Reid")).expect(201);
    let path = format!("/v1/possible-duplicates/{}/{}", id(&one), id(&other));
    let back = format!("/v1/possible-duplicates/{}/{}", id(&other), id(&one));
    let read = advisor.get(&path);
    assert_eq!(advisor.get(&back).json, read.json, "the order doesn't matter");
    let names: Vec<&Value> = read.json["members"].as_array().unwrap().iter().map(|one| &one["given_name"]).collect();
    assert_eq!(names.len(), 2);
    let not_same = json!({ "status": "not_same" });
    advisor.patch(&path, "", &not_same).problem(428, "precondition-required");
    advisor.patch(&path, "\"2\"", &not_same).problem(412, "precondition-failed");
    advisor.patch(&path, read.etag(), &json!({ "status": "merged" })).invalid(&["/status"]);
    let decided = advisor.patch(&back, read.etag(), &not_same).expect(200);
    assert_eq!((&decided["status"], &decided["version"]), (&json!("not_same"), &json!(2)));
    assert_eq!((decided["decided_by"].clone(), open(&advisor)), (json!(advisor.id.unwrap().to_string()), vec![]));
    let opened = advisor.patch(&path, "\"2\"", &json!({ "status": "open" })).expect(200);
    assert_eq!((&opened["decided_by"], &opened["decided_at"]), (&Value::Null, &Value::Null));
    assert_eq!(open(&advisor).len(), 1);
    let stranger = app.clock.new_id();
    advisor.get(&format!("/v1/possible-duplicates/{}/{stranger}", id(&one))).problem(404, "not-found");
    let changes = audit_events::table.filter(audit_events::action.eq("change")).count();
    assert_eq!(changes.get_result::<i64>(&mut app.conn()).unwrap(), 4, "one for each person and change");
}

#[test]
fn at_night_whoever_was_changed_is_compared_and_decisions_stay() {
    let app = App::start();
    let advisor = app.advisor();
    let one = register(&advisor, &born("Nadia", "Neverdale")).expect(201);
    let other = register(&advisor, &born("Zoe", "Walker")).expect(201);
    let path = |member: &Value| format!("/v1/members/{}", id(member));
    assert!(!night(&app), "it is day");
    app.at("2026-11-24T02:00:00Z");
    assert!(night(&app));
    assert_eq!((open(&advisor), night(&app)), (vec![], false));
    // Her name was wrong.
    let change = json!({ "given_name": "Nadja", "family_name": "Neverdale" });
    advisor.patch(&path(&other), "\"1\"", &change).expect(200);
    assert!(!night(&app), "what changes just now waits a little");
    app.at("2026-11-24T02:01:00Z");
    assert!(night(&app));
    let found = open(&advisor);
    assert_eq!(found, [("open".to_owned(), 26, json!(["family_name", "given_name_near", "birthday"]))]);
    // Points follow the records, and a pair that isn't alike any more leaves the list.
    advisor.patch(&path(&other), "\"2\"", &json!({ "given_name": "Nadia" })).expect(200);
    app.at("2026-11-24T02:10:00Z");
    assert!(night(&app));
    assert_eq!(open(&advisor)[0].1, 28);
    let pair = format!("/v1/possible-duplicates/{}/{}", id(&one), id(&other));
    advisor.patch(&pair, advisor.get(&pair).etag(), &json!({ "status": "not_same" })).expect(200);
    advisor.patch(&path(&other), "\"3\"", &json!({ "given_name": "Nadja" })).expect(200);
    app.at("2026-11-24T02:20:00Z");
    assert!(night(&app));
    assert_eq!((open(&advisor), advisor.get(&pair).expect(200)["score"].clone()), (vec![], json!(28)));
    advisor.patch(&pair, advisor.get(&pair).etag(), &json!({ "status": "open" })).expect(200);
    advisor.patch(&path(&other), "\"4\"", &json!({ "given_name": "Zoe", "family_name": "Walker" })).expect(200);
    app.at("2026-11-24T02:30:00Z");
    assert!(night(&app));
    advisor.get(&pair).problem(404, "not-found");
    // A summer night begins in London.
    advisor.patch(&path(&other), "\"5\"", &json!({ "pronouns": "she" })).expect(200);
    app.at("2027-07-01T00:59:00Z");
    assert!(!night(&app));
    app.at("2027-07-01T01:00:00Z");
    assert!(night(&app));
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

/// How a database goes about a query. PostgreSQL would read so small a table from end to end, so that is forbidden.
fn plan(conn: &mut Conn, query: &str) -> String {
    match conn {
        Conn::Sqlite(sqlite) => {
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(sqlite).unwrap();
            steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n")
        }
        Conn::Postgres(postgres) => {
            postgres.batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off").unwrap();
            let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN {query}")).load(postgres).unwrap();
            lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn every_look_up_of_the_search_goes_through_an_index() {
    let app = App::start();
    let mut conn = app.conn();
    if let Conn::Postgres(postgres) = &mut conn {
        // It chooses an index by the numbers of rows.
        let rows = "INSERT INTO members (id, given_name, family_name, given_key, family_key, roles, contact_preferences, \
            date_of_birth, sound_key, phone, email_key, postcode, version, created_at, updated_at) \
            SELECT gen_random_uuid(), 'A', 'B', 'a', 'b', '[]', '{}', date '1930-01-01' + n * 7, 'RT/' || n, 'p' || n, 'e' || n, \
            'c' || n, 1, now(), now() FROM generate_series(1, 3000) n; ANALYZE members";
        postgres.batch_execute(rows).unwrap();
    }
    for (condition, index) in [
        ("date_of_birth = '1961-04-02'", "members_birthday_index"),
        ("date_of_birth = '1961-01-01' AND sound_key >= 'RT' AND sound_key < 'RU'", "members_birthday_index"),
        ("sound_key = 'RT/MRKR'", "members_sound_index"),
        ("phone = '+441514960123'", "members_phone_index"),
        ("email_key = 'peg@example.org'", "members_email_key_index"),
        ("postcode = 'L9 1AA'", "members_postcode_index"),
    ] {
        let query =
            format!("SELECT id FROM members WHERE {condition} AND merged_into IS NULL AND erased_at IS NULL LIMIT 500");
        let plan = plan(&mut conn, &query);
        assert!(plan.contains(index), "{condition}\n{plan}");
    }
}

#[test]
fn a_pair_that_an_earlier_telephone_number_speaks_for_stays_whoever_of_the_two_is_compared() {
    let app = App::start();
    let advisor = app.advisor();
    let known = confirmed(&advisor, &person("Margaret", "Reid", json!({ "phone": "0151 496 0123" })));
    let merged = confirmed(&advisor, &person("Margaret", "Reid", json!({ "phone": "0151 496 0456" })));
    merge(&advisor, &known, &merged).expect(200);
    // Nobody has decided about the two yet.
    let other = register(&advisor, &person("Zoe", "Walker", json!({ "phone": "0151 496 0789" }))).expect(201);
    let path = format!("/v1/members/{}", id(&other));
    let found = json!({ "given_name": "Margaret", "family_name": "Read", "phone": "0151 496 0456" });
    advisor.patch(&path, advisor.get(&path).etag(), &found).expect(200);
    let listed = || pairs(&advisor, &format!("/v1/members/{}/possible-duplicates", id(&other)));
    app.at("2026-11-24T02:01:00Z");
    assert!(night(&app));
    let before = listed();
    assert_eq!(before.len(), 1);
    for (member, then) in [(&known, "2026-11-24T02:10:00Z"), (&other, "2026-11-24T02:20:00Z")] {
        let path = format!("/v1/members/{}", id(member));
        advisor.patch(&path, advisor.get(&path).etag(), &json!({ "pronouns": "she/her" })).expect(200);
        app.at(then);
        assert!(night(&app));
        assert_eq!(listed(), before);
    }
}
