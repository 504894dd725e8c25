//! Jobs whose owner loses the right to them.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use life_rooms::auth::caller::{Role, Scope};
use life_rooms::db::schema::{api_clients, partners, users, wordings};
use life_rooms::db::{Id, Json};
use life_rooms::line::Owner;
use serde_json::json;

use crate::housekeeping::keep_house;
use crate::jobs::{ASYNC, abandoned_of, ended, replace_payload, run_due};
use crate::rosters::{partner, reader, roster, rows, series};
use crate::support::{App, Client};

/// What ends the right of a partner's client, or of a user where the id is one, and what the job then fails with.
type Loss = (&'static str, fn(&App, Id), &'static str);

const LOSSES: [Loss; 4] = [
    (
        "the client is revoked",
        |app, client| {
            let now = app.clock.now();

            let row = api_clients::table.find(client);
            diesel::update(row).set(api_clients::revoked_at.eq(now)).execute(&mut app.conn()).unwrap();
        },
        "forbidden",
    ),
    (
        "the secret is rotated",
        |app, client| {
            let row = api_clients::table.find(client);
            diesel::update(row).set(api_clients::generation.eq(2)).execute(&mut app.conn()).unwrap();
        },
        "forbidden",
    ),
    (
        "the scope is taken away",
        |app, client| {
            let row = api_clients::table.find(client);
            let less = Json(vec![Scope::RostersRead]);
            diesel::update(row).set(api_clients::scopes.eq(less)).execute(&mut app.conn()).unwrap();
        },
        "insufficient-scope",
    ),
    (
        "the partner is paused",
        |app, client| {
            let row = api_clients::table.find(client).select(api_clients::partner_id);
            let partner: Id = row.first(&mut app.conn()).unwrap();
            diesel::update(partners::table.find(partner))
                .set(partners::status.eq("paused"))
                .execute(&mut app.conn())
                .unwrap();
        },
        "forbidden",
    ),
];

const USER_LOSSES: [Loss; 3] = [
    (
        "the account is disabled",
        |app, user| {
            diesel::update(users::table.find(user)).set(users::disabled.eq(true)).execute(&mut app.conn()).unwrap();
        },
        "forbidden",
    ),
    (
        "the account has another role",
        |app, user| {
            diesel::update(users::table.find(user))
                .set((users::role.eq(Role::Analyst), users::partner_id.eq(None::<Id>)))
                .execute(&mut app.conn())
                .unwrap();
        },
        "forbidden",
    ),
    (
        "the account is another partner's",
        |app, user| {
            let other: Id = partner(app, "philharmonic").parse().unwrap();
            diesel::update(users::table.find(user)).set(users::partner_id.eq(other)).execute(&mut app.conn()).unwrap();
        },
        "forbidden",
    ),
];

/// A server with The Reader; an admin, and its client or its user who posts, with the id of that one.
fn poster(is_user: bool) -> (App, Client, Client, Id, String) {
    let (app, client, path) = reader();
    let partner_id = path.split('/').nth(3).unwrap().to_owned();
    let admin = app.admin();
    if is_user {
        let user = app.partner_user(&partner_id);
        let id = user.id.unwrap();
        return (app, admin, user, id, path);
    }
    let id = api_clients::table.select(api_clients::id).first(&mut app.conn()).unwrap();
    (app, admin, client, id, path)
}

#[test]
fn a_right_that_ends_while_a_job_waits_ends_the_job_with_403() {
    let all = LOSSES.iter().map(|loss| (false, loss)).chain(USER_LOSSES.iter().map(|loss| (true, loss)));
    for (is_user, (what, lose, problem)) in all {
        let (app, admin, _, id, path) = poster(is_user);
        let partner_id = path.split('/').nth(3).unwrap();
        let (kind, scopes) = if is_user { ("user", json!([])) } else { ("client", json!(["rosters:write"])) };
        let right = json!({ "id": id, "kind": kind, "role": "partner", "partner_id": partner_id, "member_id": null,
            "scopes": scopes, "generation": 1 });
        let (kept, ..) = abandoned_of(&app, partner_id, 1, &right);
        app.at("2026-11-23T09:00:30Z");
        assert!(run_due(&app));
        assert_eq!(
            (admin.get(&format!("/v1/jobs/{kept}")).expect(200)["status"].clone(), rows(&app).len()),
            (json!("succeeded"), 4)
        );
        let (job, ..) = abandoned_of(&app, partner_id, 1, &right);
        replace_payload(&app, job, roster(&[series("b")]).to_string().as_bytes());
        lose(&app, id);
        app.at("2026-11-23T09:02:00Z");
        assert!(run_due(&app));
        let job = admin.get(&format!("/v1/jobs/{job}")).expect(200);
        assert_eq!((&job["status"], &job["problem"]["status"]), (&json!("failed"), &json!(403)), "{what}: {job}");
        assert_eq!(job["problem"]["type"], format!("/problems/{problem}"), "{what}");
        assert_eq!(rows(&app).len(), 4, "{what}");
    }
}

#[test]
fn a_right_that_ends_while_a_job_is_planned_ends_it_with_403_and_nothing_is_published() {
    let all = LOSSES.iter().map(|loss| (false, loss)).chain(USER_LOSSES.iter().map(|loss| (true, loss)));
    for (is_user, (what, lose, problem)) in all {
        let (app, admin, client, id, path) = poster(is_user);
        let turn = futures_util::FutureExt::now_or_never(app.state.plan_turns.for_job(Owner::Service));
        let turn = turn.expect("it is free").unwrap();
        let taken = client.post_with(&path, &ASYNC, &roster(&[series("a")]));
        taken.clone().expect(202);
        // It has been taken up, and whoever asked was asked for. Now it waits for its turn to be planned.
        let started = Instant::now();
        while app.state.plan_turns.waiting() == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "it was never taken up");
            std::thread::yield_now();
        }
        lose(&app, id);
        drop(turn);
        let job = ended(&admin, &taken);
        assert_eq!((&job["status"], &job["problem"]["status"]), (&json!("failed"), &json!(403)), "{what}: {job}");
        assert_eq!(job["problem"]["type"], format!("/problems/{problem}"), "{what}");
        assert!(rows(&app).is_empty(), "{what}");
        assert_eq!(admin.get(&path).expect(200)["items"], json!([]), "{what}: it isn't kept either");
        let said = || wordings::table.count().get_result::<i64>(&mut app.conn()).unwrap();
        assert_eq!(said(), 1, "{what}: what it says was written ahead");
        assert!(keep_house(&app));
        assert_eq!(said(), 0, "{what}");
    }
}
