//! Jobs: rosters that are applied after their request was answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::background;
use life_rooms::db::schema::{api_clients, job_payloads, jobs, partners, users};
use life_rooms::db::{Conn, Id, Json};
use life_rooms::jobs::store::{Claim, Claimed};
use life_rooms::jobs::types::JobKind;
use life_rooms::line::Owner;
use life_rooms::rosters::later;
use serde_json::{Value, json};

use crate::rosters::{counts, partner, reader, roster, rows, series, single, with};
use crate::support::{Answer, App, Client};

pub const ASYNC: [(&str, &str); 1] = [("prefer", "respond-async")];

/// Looks at a job until it has ended.
pub fn ended(client: &Client, job: &Answer) -> Value {
    let started = Instant::now();
    loop {
        let answer = client.get(job.header("location"));
        let running = ["queued", "running"].contains(&answer.json["status"].as_str().unwrap_or_default());
        assert_eq!(answer.header("retry-after"), if running { "1" } else { "" }, "{}", answer.text);
        if !running {
            return answer.expect(200);
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it does not end: {}", answer.text);
        std::thread::yield_now();
    }
}

pub fn run_due(app: &App) -> bool {
    let (state, holder) = (app.state.clone(), app.clock.new_id());
    let run = async move { background::run_if_due(&state, life_rooms::tasks::jobs(), holder).await };
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

/// A job that another server took up and has not ended: a roster of one series, asked for by an admin.
fn abandoned(app: &App, partner_id: &str, attempts: i32) -> (Id, Id, Value) {
    let admin = app.admin().id;
    let right = json!({ "id": admin, "kind": "user", "role": "admin", "partner_id": null, "member_id": null, "scopes": [],
        "generation": 1 });
    abandoned_of(app, partner_id, attempts, &right)
}

/// The same, asked for by somebody with this right.
pub fn abandoned_of(app: &App, partner_id: &str, attempts: i32, right: &Value) -> (Id, Id, Value) {
    let (id, holder, now) = (app.clock.new_id(), app.clock.new_id(), app.clock.now());
    let path = format!("/v1/partners/{partner_id}/rosters");
    let work = json!({
        "asker": { "right": right, "request_id": "the-first", "path": path },
        "partner_id": partner_id, "form": "json",
        "manner": { "mode": "atomic", "dry_run": false, "missing": "keep" }
    });
    let payload = roster(&[series("a")]).to_string().into_bytes();
    diesel::insert_into(jobs::table)
        .values((
            (jobs::id.eq(id), jobs::kind.eq("roster"), jobs::partner_id.eq(partner_id.parse::<Id>().unwrap())),
            (jobs::status.eq("running"), jobs::work.eq(Json(work.clone()))),
            (jobs::done.eq(0), jobs::total.eq(1), jobs::attempts.eq(attempts), jobs::holder.eq(holder)),
            (jobs::due_at.eq(now.plus_seconds(30)), jobs::version.eq(2)),
            (jobs::created_at.eq(now), jobs::updated_at.eq(now)),
        ))
        .execute(&mut app.conn())
        .expect("the job is new");
    diesel::insert_into(job_payloads::table)
        .values((job_payloads::job_id.eq(id), job_payloads::position.eq(0), job_payloads::piece.eq(payload)))
        .execute(&mut app.conn())
        .expect("it has no payload yet");
    (id, holder, work)
}

fn payload(app: &App, id: &str) -> Option<Vec<u8>> {
    let of_it = job_payloads::table.find((id.parse::<Id>().unwrap(), 0));
    of_it.select(job_payloads::piece).first(&mut app.conn()).optional().unwrap()
}

#[test]
fn a_roster_is_taken_in_and_applied_as_a_job() {
    let (app, client, path) = reader();
    let taken = client.post_with(&path, &ASYNC, &roster(&[series("a"), single("b")]));
    let body = taken.clone().expect(202);
    assert_eq!(taken.header("location"), format!("/v1/jobs/{}", taken.id()));
    assert_eq!((taken.header("preference-applied"), taken.header("retry-after")), ("respond-async", "1"));
    assert_eq!(taken.etag(), "\"1\"");
    assert_eq!((&body["kind"], &body["status"]), (&json!("roster"), &json!("queued")));
    assert_eq!(body["progress"], json!({ "done": 0, "total": 2 }));
    assert_eq!((&body["ended_at"], &body["result"], &body["problem"]), (&Value::Null, &Value::Null, &Value::Null));

    let job = ended(&client, &taken);
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(job["progress"], json!({ "done": 2, "total": 2 }));
    assert_eq!(job["result"]["counts"], counts(2, 0, 0, 0));
    assert_eq!(job["result"]["sessions"], json!({ "created": 5, "updated": 0, "cancelled": 0 }));
    assert_eq!(job["ended_at"], "2026-11-23T09:00:00Z");
    assert_eq!(rows(&app).len(), 5);
    let kept = client.get(job["result"]["location"].as_str().unwrap()).expect(200);
    assert_eq!((&kept["id"], &kept["entries"][1]["external_id"]), (&job["result"]["roster_id"], &json!("b")));
    assert_eq!(payload(&app, &taken.id()), None, "what it worked on is removed");

    let seen = client.get(taken.header("location"));
    let headers = [("if-none-match", seen.etag())];
    assert_eq!(client.send("GET", taken.header("location"), &headers, b"").status, 304);
    assert!(!run_due(&app), "nothing is left to do");
}

/// It is kept in pieces of a megabyte until it is applied.
#[test]
fn a_roster_of_megabytes_is_applied_as_a_job() {
    let (app, client, path) = reader();
    let told = "Stories and poems, read aloud together. ".repeat(90);
    let entry = |n: usize| with(single(&format!("s{n}")), json!({ "description": format!("{n}: {told}") }));
    let taken = client.post_with(&path, &ASYNC, &roster(&(0..700).map(entry).collect::<Vec<_>>()));
    taken.clone().expect(202);
    let job = ended(&client, &taken);
    assert_eq!(job["result"]["counts"], counts(700, 0, 0, 0), "{job}");
    let pieces = job_payloads::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    assert_eq!(pieces, 0, "what it worked on is removed");
}

#[test]
fn a_job_fails_with_the_problem_that_would_have_been_answered() {
    let (app, client, path) = reader();
    let wrong = roster(&[with(series("a"), json!({ "venue": "nowhere" })), single("b")]);
    let direct = client.post(&path, &wrong).problem(422, "roster-refused");
    app.at("2026-11-23T09:00:01Z");
    let headers = [("prefer", "respond-async"), ("x-request-id", "the-async-one")];
    let taken = client.post_with(&path, &headers, &wrong);
    let job = ended(&client, &taken);
    assert_eq!((&job["status"], &job["result"]), (&json!("failed"), &json!(null)));
    for member in ["type", "title", "status", "code", "instance", "errors"] {
        assert_eq!(job["problem"][member], direct[member], "{member}");
    }
    // The request's own id: one from outside could be anybody's.
    assert_eq!(job["problem"]["request_id"].as_str().unwrap().len(), 32, "{job}");
    let list = client.get(&path).expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2, "the refusal is kept");
    let at = format!("{path}/{}", list["items"][0]["id"].as_str().unwrap());
    assert!(job["problem"]["detail"].as_str().unwrap().ends_with(&at), "{job}");
}

/// Waits until another connection waits for a lock that this one has.
fn wait_until_blocking(postgres: &mut diesel::PgConnection) {
    #[derive(QueryableByName)]
    struct Waiting {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let (started, sql) =
        (Instant::now(), "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))");
    while diesel::sql_query(sql).get_result::<Waiting>(postgres).unwrap().count == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "nobody waits");
        std::thread::yield_now();
    }
}

#[test]
fn a_job_waits_for_a_revocation_that_is_not_committed_yet_and_then_fails() {
    let (app, _, path) = reader();
    let partner_id = path.split('/').nth(3).unwrap();
    app.partner_client(partner_id, &[Scope::RostersWrite]);
    let client = api_clients::table.order(api_clients::id.desc()).select(api_clients::id);
    let client: Id = client.first(&mut app.conn()).unwrap();
    for kind in ["client", "user", "partner"] {
        let (account, now) = (app.partner_user(partner_id).id.unwrap(), app.clock.now());
        let (id, right_kind) = if kind == "client" { (client, "client") } else { (account, "user") };
        let right = json!({ "id": id, "kind": right_kind, "role": "partner", "partner_id": partner_id, "member_id": null,
            "scopes": ["rosters:write"], "generation": 1 });
        let (job, ..) = abandoned_of(&app, partner_id, 0, &right);
        app.clock.set(now.0 + chrono::TimeDelta::seconds(60));
        std::thread::scope(|scope| {
            let mut conn = app.conn();
            conn.transaction(|conn| -> diesel::QueryResult<()> {
                match kind {
                    "client" => {
                        let revoked = (api_clients::revoked_at.eq(now), api_clients::generation.eq(2));
                        diesel::update(api_clients::table.find(id)).set(revoked).execute(conn)?
                    }
                    "user" => diesel::update(users::table.find(id)).set(users::disabled.eq(true)).execute(conn)?,
                    _ => {
                        let partner = partners::table.find(partner_id.parse::<Id>().unwrap());
                        diesel::update(partner).set(partners::status.eq("paused")).execute(conn)?
                    }
                };
                // SQLite has one writer: there the job runs after the commit.
                if let Conn::Postgres(postgres) = conn {
                    scope.spawn(|| run_due(&app));
                    wait_until_blocking(postgres);
                }
                Ok(())
            })
            .unwrap();
        });
        run_due(&app);
        let looked_at = app.admin().get(&format!("/v1/jobs/{job}")).expect(200);
        assert_eq!((&looked_at["status"], &looked_at["problem"]["status"]), (&json!("failed"), &json!(403)), "{kind}");
        assert_eq!(rows(&app).len(), 0, "{kind}");
    }
}

#[test]
fn what_is_no_roster_is_refused_before_it_becomes_a_job() {
    let (app, client, path) = reader();
    client
        .send("POST", &path, &[("content-type", "application/json"), ASYNC[0]], b"{")
        .problem(400, "malformed-request");
    client.post_with(&path, &ASYNC, &roster(&[])).invalid(&["/entries"]);
    client.post_with(&format!("{path}?mode=all"), &ASYNC, &roster(&[series("a")])).wrong_parameter("mode");
    let nobody = format!("/v1/partners/{}/rosters", app.clock.new_id());
    app.admin().post_with(&nobody, &ASYNC, &roster(&[series("a")])).problem(404, "not-found");
    let count: i64 = jobs::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(count, 0);
}

#[test]
fn the_options_of_a_roster_hold_for_its_job() {
    let (app, client, path) = reader();
    let dry = client.post_with(&format!("{path}?dry_run=true"), &ASYNC, &roster(&[series("a"), json!({})]));
    let job = ended(&client, &dry);
    assert_eq!((&job["status"], &job["result"]["location"]), (&json!("succeeded"), &json!(null)));
    assert_eq!(job["result"]["counts"], counts(0, 0, 0, 1));
    assert_eq!(job["result"]["rehearsal"]["dry_run"], true);
    assert_eq!(job["result"]["rehearsal"]["entries"][0]["outcome"], "rejected");
    assert!(rows(&app).is_empty());

    client.post(&path, &roster(&[series("old")])).expect(201);
    let partial = format!("{path}?mode=partial&missing=cancel&confirm=cancel");
    let job =
        ended(&client, &client.post_with(&partial, &ASYNC, &roster(&[series("a"), json!({ "external_id": "b" })])));
    assert_eq!(
        job["result"]["counts"],
        json!({ "created": 1, "updated": 0, "unchanged": 0, "cancelled": 1, "rejected": 1 })
    );
}

#[test]
fn a_job_is_asked_for_among_other_preferences_and_in_any_case() {
    let (_app, client, path) = reader();
    let post = |prefer: &str| client.post_with(&path, &[("prefer", prefer)], &roster(&[series("a")]));
    for prefer in ["return=minimal, Respond-Async", "respond-async; foo=1", "wait=5 ,respond-async"] {
        let job = post(prefer);
        assert_eq!((job.status, job.header("preference-applied")), (202, "respond-async"), "{prefer}");
        ended(&client, &job);
    }
    for prefer in ["", "wait=10", "foo=\"respond\"", "respond-asynchronously"] {
        assert_eq!(post(prefer).status, 201, "{prefer}");
    }
}

#[test]
fn a_repeated_key_is_answered_with_the_first_job() {
    let (app, client, path) = reader();
    let headers = [ASYNC[0], ("idempotency-key", "tonight")];
    let first = client.post_with(&path, &headers, &roster(&[series("a")]));
    let again = client.post_with(&path, &headers, &roster(&[series("a")]));
    assert_eq!((again.status, again.id(), again.header("idempotent-replay")), (202, first.id(), "true"));
    assert_eq!(again.header("preference-applied"), "respond-async");
    assert_eq!(ended(&client, &again)["status"], "succeeded");
    let count: i64 = jobs::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(count, 1);
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
    client.post_with(&path, &headers, &roster(&[series("b")])).problem(422, "idempotency-mismatch");
}

#[test]
fn a_job_is_read_by_its_partner_and_by_admins() {
    let (app, client, path) = reader();
    let id = path.split('/').nth(3).unwrap().to_owned();
    let taken = app.admin().post_with(&path, &ASYNC, &roster(&[series("a")]));
    let job = taken.header("location").to_owned();
    ended(&client, &taken);
    let scoped = |scope| app.partner_client(&id, &[scope]);
    for other in [app.admin(), app.partner_user(&id), scoped(Scope::RostersRead), scoped(Scope::RostersWrite)] {
        assert_eq!(other.get(&job).expect(200)["partner_id"], *id);
    }
    scoped(Scope::RegistersRead).get(&job).problem(403, "insufficient-scope");
    app.partner_user(&partner(&app, "philharmonic")).get(&job).problem(404, "not-found");
    for role in [app.advisor(), app.analyst()] {
        role.get(&job).problem(403, "forbidden");
    }
    app.anonymous().get(&job).problem(401, "unauthenticated");
    client.get(&format!("/v1/jobs/{}", app.clock.new_id())).problem(404, "not-found");
}

#[test]
fn a_job_whose_server_died_is_taken_up_again_after_its_lease_and_done_once() {
    let (app, client, path) = reader();
    let (id, holder, work) = abandoned(&app, path.split('/').nth(3).unwrap(), 1);
    assert!(!run_due(&app), "its lease holds");
    assert_eq!(client.get(&format!("/v1/jobs/{id}")).expect(200)["status"], "running");
    app.at("2026-11-23T09:00:30Z");
    assert!(run_due(&app));
    let job = client.get(&format!("/v1/jobs/{id}")).expect(200);
    assert_eq!((&job["status"], &job["result"]["counts"]), (&json!("succeeded"), &counts(1, 0, 0, 0)));
    assert_eq!(job["ended_at"], "2026-11-23T09:00:30Z");

    // The first server was only slow. What it does now must change nothing, not even be kept as a roster.
    let payload = roster(&[series("a"), series("late")]).to_string().into_bytes();
    let late = Claimed { claim: Claim { id, holder }, kind: JobKind::Roster, work, payload, attempts: 1 };
    let state = app.state.clone();
    let slow = async move { later::run(&state, late, Arc::default()).await };
    actix_web::rt::System::new().block_on(slow).expect("it gives up quietly");
    assert_eq!(rows(&app).len(), 4);
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(client.get(&format!("/v1/jobs/{id}")).expect(200), job);
    assert!(!run_due(&app));
}

#[test]
fn a_job_that_never_gets_anywhere_is_given_up() {
    let (app, client, path) = reader();
    let (id, ..) = abandoned(&app, path.split('/').nth(3).unwrap(), 20);
    app.at("2026-11-23T09:01:00Z");
    assert!(run_due(&app));
    let job = client.get(&format!("/v1/jobs/{id}")).expect(200);
    assert_eq!((&job["status"], &job["problem"]["type"]), (&json!("failed"), &json!("/problems/internal")));
    assert_eq!((&job["problem"]["request_id"], &job["problem"]["instance"]), (&json!("the-first"), &json!(path)));
    assert!(rows(&app).is_empty());
    assert_eq!(payload(&app, &id.to_string()), None);
}

/// Changes what is kept of a job's request.
fn garble(app: &App, id: Id, work: &Value, payload: &[u8]) {
    let work = jobs::work.eq(Json(work.clone()));
    diesel::update(jobs::table.find(id)).set(work).execute(&mut app.conn()).unwrap();
    replace_payload(app, id, payload);
}

pub fn replace_payload(app: &App, id: Id, payload: &[u8]) {
    let piece = job_payloads::piece.eq(payload);
    diesel::update(job_payloads::table.find((id, 0))).set(piece).execute(&mut app.conn()).unwrap();
}

#[test]
fn a_job_whose_request_can_not_be_read_fails_and_holds_up_no_other() {
    let (app, client, path) = reader();
    let partner_id = path.split('/').nth(3).unwrap();
    let whole = roster(&[series("a")]).to_string().into_bytes();
    let nobody = |work: &Value| with(work.clone(), json!({ "asker": null }));
    let stranger = |work: &Value| with(work.clone(), json!({ "asker": { "right": { "id": 7 } } }));
    let no_manner = |work: &Value| with(work.clone(), json!({ "manner": "polite" }));
    let mut broken = Vec::new();
    for garbled in [nobody, stranger, no_manner] {
        let (id, _, work) = abandoned(&app, partner_id, 1);
        garble(&app, id, &garbled(&work), &whole);
        broken.push(id);
    }
    let (id, _, work) = abandoned(&app, partner_id, 1);
    garble(&app, id, &work, b"{\"entries\": [");
    // The last one is as it should be.
    let (good, ..) = abandoned(&app, partner_id, 1);
    app.at("2026-11-23T09:00:30Z");
    assert!(run_due(&app));
    let show = |id: Id| client.get(&format!("/v1/jobs/{id}")).expect(200);
    for id in &broken {
        let job = show(*id);
        assert_eq!((&job["status"], &job["result"]), (&json!("failed"), &json!(null)), "{job}");
        assert_eq!((&job["problem"]["type"], &job["problem"]["status"]), (&json!("/problems/internal"), &json!(500)));
        assert_eq!(job["ended_at"], "2026-11-23T09:00:30Z");
        assert!(job["problem"]["instance"].as_str().is_some_and(|at| at.starts_with('/')), "{job}");
        assert_eq!(payload(&app, &id.to_string()), None);
    }
    let job = show(id);
    assert_eq!((&job["status"], &job["problem"]["type"]), (&json!("failed"), &json!("/problems/malformed-request")));
    assert_eq!((&show(good)["status"], rows(&app).len()), (&json!("succeeded"), 4));
    assert!(!run_due(&app), "nothing of it is taken up again");
}

#[test]
fn a_partner_has_five_jobs_waiting_and_another_partner_is_not_kept_out() {
    let (app, client, path) = reader();
    let other = partner(&app, "philharmonic");
    let others = app.partner_client(&other, &[Scope::RostersWrite, Scope::RostersRead]);
    let turn = futures_util::FutureExt::now_or_never(app.state.plan_turns.for_job(Owner::Service));
    let post = |n: usize| client.post_with(&path, &ASYNC, &roster(&[series(&format!("s{n}"))]));
    let taken: Vec<Answer> = (0..5).map(post).collect();
    let refused = post(5);
    assert_eq!(refused.header("retry-after"), "10");
    let detail = refused.problem(429, "too-much-at-once")["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("5 jobs of this partner have not ended; the most is 5."), "{detail}");
    let theirs = others.post_with(&format!("/v1/partners/{other}/rosters"), &ASYNC, &roster(&[series("a")]));
    drop(turn);
    assert_eq!(ended(&others, &theirs)["status"], "succeeded");
    for job in &taken {
        assert_eq!(ended(&client, job)["status"], "succeeded");
    }
    assert_eq!(ended(&client, &post(5))["result"]["counts"], counts(1, 0, 0, 0));
    let count: i64 = jobs::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(count, 7);
}
