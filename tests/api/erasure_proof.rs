//! Nothing is left of an erased person: not in the tables, not in the files, not in a copy, not in the log; and no figure
//! changes.

use std::collections::BTreeMap;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use life_rooms::audit::hash::Written;
use life_rooms::db::schema::{audit_events, bookings, registers, retention_reviews};
use life_rooms::db::{Conn, Id, Location};
use serde_json::{Value, json};

use crate::erasures::{PASSWORD, asked, execute, finish};
use crate::support::log::listen;
use crate::support::mailbox::Mailbox;
use crate::support::{App, Client, SessionSeed, id, member_row, session_row, venue};
use crate::upgrades::run;

/// What there is a word for that nothing else has.
const WORDS: &str = "preferred given family former pronouns line1 line2 town contact relation consent wording letter need carer flag closed \
                     matters neednote goal itemnote itemreason ended client calendar form hold kept seat";

/// Words that nothing else has, each by what it is.
struct Tokens(BTreeMap<&'static str, String>);

impl Tokens {
    fn new() -> Self {
        let mut tokens = BTreeMap::new();
        for (number, what) in WORDS.split(' ').enumerate() {
            let letters: String =
                format!("{number:02}").bytes().map(|digit| char::from(b'a' + (digit - b'0'))).collect();
            tokens.insert(what, format!("Zyqx{letters}wvutok"));
        }
        for (what, text) in [
            ("email", "zyqxmail@erased.example.org"),
            ("account", "zyqxaccount@erased.example.org"),
            ("newmail", "zyqxnewmail@erased.example.org"),
            ("phone", "+441632960747"),
            ("theirphone", "+441632960848"),
            ("postcode", "ZE1 0AA"),
            ("nhs", "9434765919"),
            ("practice", "Y98765"),
            ("born", "1911-12-13"),
        ] {
            tokens.insert(what, text.to_owned());
        }
        Self(tokens)
    }

    fn of(&self, what: &str) -> &str {
        &self.0[what]
    }

    /// The tokens that are in these bytes, in upper or lower case.
    fn in_bytes(&self, bytes: &[u8]) -> Vec<&'static str> {
        let lower = bytes.to_ascii_lowercase();
        let is_in = |token: &str| {
            let token = token.to_ascii_lowercase();
            let first = token.as_bytes()[0];
            let mut from = 0;
            while let Some(at) = lower[from..].iter().position(|byte| *byte == first) {
                if lower[from + at..].starts_with(token.as_bytes()) {
                    return true;
                }
                from += at + 1;
            }
            false
        };
        self.0.iter().filter(|(_, token)| is_in(token)).map(|(what, _)| *what).collect()
    }
}

/// A person with every text that the API takes, and what they can reach the service with.
struct Life {
    member: String,
    own: Client,
    access_token: String,
    refresh_token: String,
    calendar: String,
    reset: String,
    register: String,
}

fn live(app: &App, mails: &Mailbox, tokens: &Tokens) -> Life {
    let (advisor, lead) = (app.advisor(), app.advisor_who_may("safeguarding"));
    let t = |what: &str| tokens.of(what).to_owned();
    let key = |name: &str| [("idempotency-key", name.to_owned())];
    let post = |client: &Client, path: &str, body: &Value| {
        let key = key(&app.clock.new_id().to_string());
        let headers: Vec<(&str, &str)> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
        client.post_with(path, &headers, body)
    };
    let record = json!({
        "preferred_name": t("preferred"), "given_name": t("given"), "family_name": t("family"),
        "former_names": [t("former")], "pronouns": t("pronouns"), "email": t("email"), "phone": t("phone"),
        "line_1": t("line1"), "line_2": t("line2"), "town": t("town"), "postcode": t("postcode"),
        "local_authority": "Sefton", "nhs_number": t("nhs"), "gp_practice_code": t("practice"),
        "date_of_birth": t("born"), "roles": ["service_user"], "contact_preferences": { "email": true },
        "emergency_contact": { "name": t("contact"), "phone": t("theirphone"), "relationship": t("relation") }
    });
    let member = id(&post(&advisor, "/v1/members", &record).expect(201)).to_owned();
    let at = |part: &str| format!("/v1/members/{member}/{part}");
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": t("consent"),
        "form_version": t("wording") });
    post(&advisor, &at("consents"), &consent).expect(201);
    let needs = json!({ "needs": [{ "category": "other", "code": "a_lift", "detail": t("need"), "share": true }] });
    advisor.put(&at("access-needs"), "\"0\"", &needs).expect(200);
    let carer = member_row(app, "Cara", "Carr");
    let cares = json!({ "from_member": carer, "to_member": member, "kind": "carer_of", "may_book": true,
        "authority": "member_agreed", "evidence": t("carer") });
    post(&advisor, &at("relationships"), &cares).expect(201);
    let clerk = app.advisor_who_may("subject_access");
    let asked = json!({ "received_on": "2026-11-20", "how": t("letter") });
    post(&clerk, &at("export"), &asked).expect(202);
    let flag = json!({ "category": "neglect", "summary": t("flag"), "review_on": "2026-12-07" });
    let flag = post(&lead, &at("safeguarding"), &flag).expect(201);
    let closed = json!({ "status": "closed", "closed_reason": t("closed") });
    lead.patch(&at(&format!("safeguarding/{}", id(&flag))), "\"1\"", &closed).expect(200);

    let plan = json!({ "member_id": member, "origin": "advisor", "what_matters": t("matters"),
        "needs": [{ "domain": "loneliness", "severity": 3, "note": t("neednote") }],
        "items": [{ "kind": "advice", "need": "loneliness", "goal": t("goal"), "note": t("itemnote") }] });
    for is_first in [true, false] {
        let plan = post(&advisor, "/v1/prescriptions", &plan).expect(201);
        let path = format!("/v1/prescriptions/{}", id(&plan));
        let item = plan["items"][0]["id"].as_str().unwrap();
        let declined = json!({ "status": "declined", "reason": t("itemreason") });
        advisor.patch(&format!("{path}/items/{item}"), "\"1\"", &declined).expect(200);
        advisor.send("POST", &format!("{path}/activate"), &[], b"").expect(200);
        if is_first {
            post(&advisor, &format!("{path}/close"), &json!({ "reason": t("ended") })).expect(200);
        }
    }

    let library = venue(&app.admin(), "central", "Liverpool");
    let past = SessionSeed {
        venue_id: Some(id(&library)),
        pillar: "learning",
        starts_at: "2026-11-23T08:00:00Z",
        ..SessionSeed::default()
    };
    let past = session_row(app, past);
    let register = format!("/v1/sessions/{past}/register");
    let came = json!({ "bookings": [], "walk_ins": [{ "member_id": member }, { "member_id": carer }],
        "headcount": { "beneficiaries": 3, "family": 2, "carers": 1 } });
    advisor.put(&register, advisor.get(&register).etag(), &came).expect(200);
    for (seats, title) in [(1, "Poems"), (2, "Songs")] {
        let seed = SessionSeed { capacity: Some(seats), title, ..SessionSeed::default() };
        let path = format!("/v1/sessions/{}/bookings", session_row(app, seed));
        post(&advisor, &path, &json!({ "member_id": member })).expect(201);
        post(&advisor, &path, &json!({ "member_id": carer, "if_full": "wait" })).expect(201);
    }
    // A booking whose reason names the person.
    let seed = SessionSeed { title: "Clay", ..SessionSeed::default() };
    let path = format!("/v1/sessions/{}/bookings", session_row(app, seed));
    let booked = post(&advisor, &path, &json!({ "member_id": member })).expect(201);
    advisor.delete(&format!("/v1/bookings/{}", id(&booked))).expect(200);
    let row = bookings::table.find(id(&booked).parse::<Id>().unwrap());
    diesel::update(row).set(bookings::cancellation_reason.eq(t("seat"))).execute(&mut app.conn()).unwrap();

    mails.take(app);
    let invited = json!({ "email": t("account"), "deliver": "email" });
    post(&advisor, &at("invitations"), &invited).expect(201);
    let invitation = mails.take_one(app).token();
    let up = json!({ "token": invitation, "password": PASSWORD, "date_of_birth": t("born") });
    app.anonymous().post("/v1/auth/invitations/confirm", &up).expect(201);
    let login = json!({ "email": t("account"), "password": PASSWORD, "client_name": t("client") });
    let login = app.anonymous().post("/v1/auth/login", &login).expect(200);
    let token = |name: &str| login[name].as_str().unwrap().to_owned();
    let own = app.with_token(&token("access_token"));
    let link = post(&own, &at("calendar-links"), &json!({ "name": t("calendar") })).expect(201);
    let calendar = link["url"].as_str().unwrap();
    let calendar = calendar[calendar.find("/v1/").unwrap()..].to_owned();
    assert_eq!(app.anonymous().get(&calendar).status, 200);
    let change = json!({ "new_email": t("newmail"), "current_password": PASSWORD });
    own.post("/v1/me/email-change", &change).expect(202);
    mails.take(app);
    app.anonymous().post("/v1/auth/password-resets", &json!({ "email": t("account") })).expect(202);
    let reset = mails.take_one(app).token();
    let form = json!({ "email": t("email"), "given_name": t("form"), "consents": [] });
    app.anonymous().post("/v1/members/self-registration", &form).expect(202);
    mails.take(app);
    Life {
        access_token: token("access_token"),
        refresh_token: token("refresh_token"),
        member,
        own,
        calendar,
        reset,
        register,
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(app: &App, query: &str) -> Vec<String> {
    let rows: Vec<Line> = diesel::sql_query(query).load(&mut app.conn()).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// The files of the database, each with its name, and a copy as backups are made. On PostgreSQL the copy only, where the
/// files belong to another machine.
fn files(app: &App) -> Vec<(String, Vec<u8>)> {
    match &app.location {
        Location::Sqlite(path) => {
            let copy = format!("{path}.copy-{}", uuid::Uuid::new_v4());
            app.conn().batch_execute(&format!("VACUUM INTO '{copy}'")).unwrap();
            let names = [path.clone(), format!("{path}-wal"), copy];
            names.into_iter().map(|name| (name.clone(), std::fs::read(&name).unwrap_or_default())).collect()
        }
        Location::Postgres(url) => {
            let schema = lines(app, "SELECT CAST(current_schema() AS text) AS line").remove(0);
            let mut all = vec![("pg_dump".to_owned(), dump(url, &schema))];
            app.conn().batch_execute("CHECKPOINT").unwrap();
            let folder = lines(app, "SELECT current_setting('data_directory') AS line").remove(0);
            let paths = lines(
                app,
                "SELECT pg_relation_filepath(c.oid) AS line FROM pg_class c WHERE c.relfilenode <> 0 AND \
                 (c.relnamespace = to_regnamespace(current_schema()) OR c.oid IN (SELECT reltoastrelid FROM pg_class \
                 WHERE relnamespace = to_regnamespace(current_schema())))",
            );
            let read = |path: &String| Some((path.clone(), std::fs::read(format!("{folder}/{path}")).ok()?));
            let found: Vec<_> = paths.iter().filter_map(read).collect();
            if found.is_empty() {
                eprintln!("the files of PostgreSQL can't be read here, so only its dump was looked through");
            }
            all.extend(found);
            all
        }
    }
}

/// What `pg_dump` writes of a schema.
fn dump(url: &str, schema: &str) -> Vec<u8> {
    let plain = url.split(['?', '&']).next().unwrap();
    let output = Command::new("pg_dump").args(["--schema", schema, "--dbname", plain]).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        }
        Err(error) => {
            eprintln!("pg_dump isn't here ({error}), so no dump was looked through");
            Vec::new()
        }
    }
}

/// The files that have any of the tokens.
fn left(app: &App, tokens: &Tokens) -> Vec<(String, Vec<&'static str>)> {
    let found = files(app).into_iter().map(|(name, bytes)| (name, tokens.in_bytes(&bytes)));
    found.filter(|(_, tokens)| !tokens.is_empty()).collect()
}

fn events(app: &App) -> Vec<Written> {
    audit_events::table.order(audit_events::id).select(Written::as_select()).load(&mut app.conn()).unwrap()
}

/// The register without the name of anybody, and both reports.
fn figures(app: &App, admin: &Client, life: &Life) -> (String, String, String, Vec<(i32, i32, i32)>) {
    let advisor = app.advisor();
    let mut register = advisor.get(&life.register).expect(200);
    for walk_in in register["walk_ins"].as_array_mut().unwrap() {
        for name in ["display_name", "has_access_needs", "access_needs", "access_needs_review_due"] {
            walk_in["member"].as_object_mut().unwrap().remove(name);
        }
    }
    let report = |path: &str| {
        let answer = admin.get(&format!("{path}?from=2021-10-01&group_by=month"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    };
    let heads = registers::table.select((registers::beneficiaries, registers::family, registers::carers));
    let heads = heads.load(&mut app.conn()).unwrap();
    (register.to_string(), report("/v1/reports/prescriptions"), report("/v1/reports/attendance"), heads)
}

#[test]
fn nothing_is_left_of_an_erased_person_and_no_figure_changes() {
    let listener = listen();
    let (app, mails) = App::with_mail();
    let (tokens, admin) = (Tokens::new(), app.admin());
    let life = live(&app, &mails, &tokens);
    let kept = (
        retention_reviews::member_id.eq(life.member.parse::<Id>().unwrap()),
        retention_reviews::keep_until.eq("2026-11-22".parse::<chrono::NaiveDate>().unwrap()),
        retention_reviews::reason.eq(tokens.of("kept")),
        retention_reviews::decided_by.eq(admin.id.unwrap()),
        retention_reviews::created_at.eq(app.clock.now()),
    );
    diesel::insert_into(retention_reviews::table).values(kept).execute(&mut app.conn()).unwrap();
    let at = asked(&app.advisor(), &life.member);
    admin.post(&format!("{at}/hold"), &json!({ "reason": tokens.of("hold") })).expect(200);
    let before: Vec<&str> = tokens.0.keys().copied().collect();
    let there: Vec<u8> = files(&app).into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(tokens.in_bytes(&there), before, "each of them was there");
    admin.send("POST", &format!("{at}/resume"), &[], b"").expect(200);
    let (figured, told) = (figures(&app, &admin, &life), events(&app));
    assert!(figured.2.contains("\"distinct_members\":2"), "{}", figured.2);
    assert!(figured.1.contains("\"prescriptions\":2"), "{}", figured.1);

    // A moment later, so that the new events come after the ones before.
    app.at("2026-11-23T09:00:05Z");
    let result = execute(&admin, &at, true).expect(200)["result"].clone();
    for (table, least) in [("members", 1), ("member_words", 4), ("logins", 2), ("users", 1), ("prescription_items", 2)]
    {
        assert!(result["rows"][table].as_i64().unwrap_or_default() >= least, "{table}: {result}");
    }
    assert_eq!(result["rows"].get("safeguarding_flags"), None, "not even as a count");
    assert_eq!(mails.take_one(&app).subject, "Your details were deleted");
    app.at("2026-11-23T09:00:00Z");
    assert_eq!(figures(&app, &admin, &life), figured);
    let after = events(&app);
    let hashes = |events: &[Written]| events.iter().map(Written::hash).collect::<Vec<_>>();
    let same: Vec<Written> = after.into_iter().filter(|event| told.iter().any(|old| old.id == event.id)).collect();
    assert_eq!(hashes(&same), hashes(&told), "no event was changed");

    finish(&app);
    if let Conn::Postgres(_) = app.conn() {
        let scrub = || {
            let output = run(&app, &["erasures", "scrub"]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(scrub(), "Erasures of which nothing is left in the files of the database: 1 more.\n");
        // The clock of the test tells the command nothing of the transactions of other tests, which may still see old
        // rows for a moment.
        for _ in 0..20 {
            if left(&app, &tokens).is_empty() {
                break;
            }
            scrub();
        }
    }
    assert_eq!(admin.get(&at).expect(200)["result"]["disk"], "done");
    assert_eq!(left(&app, &tokens), Vec::<(String, Vec<&str>)>::new());
    let log = listener.lines().join("\n");
    assert!(log.len() > 1_000);
    assert_eq!(tokens.in_bytes(log.as_bytes()), Vec::<&str>::new(), "in the log");

    // Nobody gets in any more.
    let login = json!({ "email": tokens.of("account"), "password": PASSWORD });
    app.anonymous().post("/v1/auth/login", &login).problem(401, "unauthenticated");
    app.with_token(&life.access_token).get("/v1/me").problem(401, "unauthenticated");
    life.own.get(&format!("/v1/members/{}", life.member)).problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": life.refresh_token });
    app.anonymous().post("/v1/auth/refresh", &refresh).problem(401, "unauthenticated");
    app.anonymous().get(&life.calendar).problem(404, "not-found");
    let reset = json!({ "token": life.reset, "new_password": "green kettle beside a window" });
    app.anonymous().post("/v1/auth/password-resets/confirm", &reset).problem(422, "link-not-valid");
    app.advisor().get(&format!("/v1/members/{}", life.member)).problem(410, "erased");
}
