//! What a request that is sent again with its `Idempotency-Key` is answered once somebody has withdrawn a consent.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::Id;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};

use crate::editing::{book, news, path, series_path, session_body, sessions_of, with};
use crate::support::{Answer, App, Client, consent_row, id, member_row, partner_row, venue};

const KEY: [(&str, &str); 1] = [("idempotency-key", "once")];

fn reads_of(app: &App, member: &str) -> i64 {
    let of_member = audit_events::table.filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()));
    of_member.filter(audit_events::action.eq("read")).count().get_result(&mut app.conn()).unwrap()
}

fn given_again(answer: &Answer, first: &Value) -> bool {
    answer.status == 200 && answer.header("idempotent-replay") == "true" && answer.json == *first
}

/// A session that Ann, who shares with the partner, and Bob, who doesn't, have booked; called off by the client.
fn called_off(app: &App, client: &Client, partner: &str) -> (impl Fn(&str) -> Answer, Value, [String; 2]) {
    let place = venue(&app.admin(), &format!("walton-{}", app.clock.new_id()), "Liverpool");
    let session = client.post("/v1/sessions", &session_body(id(&place))).expect(201);
    let members = [member_row(app, "Ann", "A"), member_row(app, "Bob", "B")];
    consent_row(app, &members[0], partner, "given");
    for member in &members {
        book(app, &session, member, json!({}));
    }
    let (client, at) = (client.clone(), format!("{}/cancel", path(&session)));
    let send = move |reason: &str| client.post_with(&at, &KEY, &json!({ "reason": reason }));
    let first = send("Snow").expect(200);
    (send, first, members)
}

#[test]
fn a_partner_is_not_told_again_of_a_member_who_has_withdrawn_consent() {
    let app = App::start();
    let partner = partner_row(&app, "the-reader");
    let client = app.partner_client(&partner, &[Scope::SessionsWrite, Scope::BookingsRead]);
    for client in [client, app.partner_user(&partner)] {
        app.at("2026-11-23T09:00:00Z");
        let (send, first, [ann, bob]) = called_off(&app, &client, &partner);
        let mut whose: Vec<Option<&str>> = news(&first).iter().map(|line| line.3).collect();
        whose.sort_unstable();
        assert_eq!(whose, [None, Some(ann.as_str())]);
        assert!(given_again(&send("Snow"), &first));
        let before = reads_of(&app, &ann);

        app.at("2026-11-23T09:01:00Z");
        consent_row(&app, &bob, &partner, "withdrawn");
        assert!(given_again(&send("Snow"), &first), "it says nothing of Bob");
        consent_row(&app, &ann, &partner, "withdrawn");
        let withheld = send("Snow");
        assert_eq!(withheld.header("idempotent-replay"), "");
        assert!(!withheld.text.contains(&ann), "{}", withheld.text);
        let problem = withheld.problem(409, "answer-withheld");
        assert_eq!(
            problem["detail"],
            "The request was done when it was first sent, and nothing was done now. The first answer isn't repeated: \
             it held data of somebody that you may no longer see."
        );
        send("Rain").problem(422, "idempotency-mismatch");
        assert_eq!(reads_of(&app, &ann), before + 1, "only what was given again is a read");

        app.at("2026-11-23T09:02:00Z");
        consent_row(&app, &ann, &partner, "given");
        assert!(given_again(&send("Snow"), &first));
    }
}

#[test]
fn who_is_no_partner_is_answered_again_whatever_was_withdrawn() {
    let app = App::start();
    let partner = partner_row(&app, "the-reader");
    let advisor = app.advisor();
    let (send, first, [ann, _]) = called_off(&app, &advisor, &partner);
    assert!(first.to_string().contains(&ann));
    app.at("2026-11-23T09:01:00Z");
    consent_row(&app, &ann, &partner, "withdrawn");
    assert!(given_again(&send("Snow"), &first));
}

#[test]
fn an_answer_that_is_withheld_says_where_what_was_made_can_be_read() {
    let app = App::start();
    let partner = partner_row(&app, "the-reader");
    let client = app.partner_client(&partner, &[Scope::SessionsWrite, Scope::BookingsRead]);
    let place = venue(&app.admin(), "walton", "Liverpool");
    let weekly = with(session_body(id(&place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    let series = client.post("/v1/session-series", &weekly).expect(201);
    let ann = member_row(&app, "Ann", "A");
    consent_row(&app, &ann, &partner, "given");
    book(&app, &sessions_of(&client, &series)[1], &ann, json!({}));
    let split = json!({ "from": "2027-01-12T13:00:00", "changes": { "local_start": "2027-01-12T14:00:00" } });
    let send = || client.post_with(&format!("{}/split", series_path(&series)), &KEY, &split);
    let first = send().expect(201);
    assert_eq!(news(&first)[0].3, Some(ann.as_str()));
    app.at("2026-11-23T09:01:00Z");
    consent_row(&app, &ann, &partner, "withdrawn");
    let problem = send().problem(409, "answer-withheld");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("Read its result at {}.", series_path(&first))), "{detail}");
    assert_eq!(client.get(&series_path(&first)).expect(200)["split_from"], series["id"]);
    assert_eq!(sessions_of(&client, &first).len(), 2, "it was done once");
}
