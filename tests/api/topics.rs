//! Topics: what the short names in `topics` of sessions mean.

use life_rooms::{background, tasks};
use serde_json::{Value, json};

use crate::sessions::{make, session_body, with};
use crate::support::{App, id, venue};

/// Runs the task that completes the list. Whether anything was done.
fn complete(app: &App) -> bool {
    let task = tasks::all().into_iter().find(|task| task.name == "topics").expect("the server has the task");
    let run = background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

/// The codes in the list that anybody reads, and whether the service made them.
fn listed(app: &App) -> Vec<(String, bool)> {
    let page = app.anonymous().get("/v1/topics?limit=100").expect(200);
    assert!(page["next"].is_null());
    let items = page["items"].as_array().unwrap().iter();
    items.map(|topic| (topic["code"].as_str().unwrap().to_owned(), topic["made"].as_bool().unwrap())).collect()
}

#[test]
fn topics_of_the_official_list_exist_from_the_start() {
    let app = App::start();
    let answer = app.anonymous().get("/v1/topics/tai_chi");
    assert_eq!(answer.etag(), "\"1\"");
    let topic = answer.expect(200);
    assert_eq!((&topic["label"], &topic["openactive_label"]), (&json!("Tai chi"), &json!("Tai Chi")));
    assert_eq!(
        topic["openactive_activity"],
        "https://openactive.io/activity-list#c16df6ed-a4a0-4275-a8c3-1c8cff56856f"
    );
    assert_eq!(topic["needs"], json!(["physical_wellbeing", "mental_wellbeing"]));
    assert!(topic.get("id").is_none());
    let codes: Vec<String> = listed(&app).into_iter().map(|(code, _)| code).collect();
    assert!(codes.is_sorted() && codes.contains(&"reading".to_owned()), "{codes:?}");
    let first = app.anonymous().get("/v1/topics?limit=1").expect(200);
    let second = app.anonymous().get(first["next"].as_str().unwrap()).expect(200);
    assert_eq!(second["items"][0]["code"], codes[1]);
    app.anonymous().get("/v1/topics/knitting").problem(404, "not-found");
}

#[test]
fn an_admin_describes_topics_and_what_stands_already_is_no_change() {
    let app = App::start();
    let admin = app.admin();
    let path = "/v1/topics/knitting";
    let written = json!({ "label": "Knitting", "description": "Bring wool.", "needs": ["arts_and_culture"] });
    admin.put(path, "", &written).problem(428, "precondition-required");
    admin.put(path, "\"1\"", &written).problem(412, "precondition-failed");
    let headers = [("content-type", "application/json"), ("if-none-match", "*")];
    let made = admin.send("PUT", path, &headers, written.to_string().as_bytes());
    assert_eq!((made.header("location"), made.etag()), (path, "\"1\""));
    let made = made.expect(201);
    assert_eq!((&made["code"], &made["made"], &made["version"]), (&json!("knitting"), &json!(false), &json!(1)));
    assert_eq!(app.anonymous().get(path).expect(200), made);
    assert_eq!(admin.put(path, "\"1\"", &written).expect(200), made);
    let changed = admin.put(path, "\"1\"", &json!({ "label": "Knitting and crochet" }));
    assert_eq!(changed.etag(), "\"2\"");
    let changed = changed.expect(200);
    // What isn't sent isn't kept.
    assert_eq!((&changed["description"], &changed["needs"]), (&Value::Null, &json!([])));
    admin.put(path, "\"1\"", &written).problem(412, "precondition-failed");
}

#[test]
fn what_is_wrong_with_a_topic_is_said() {
    let app = App::start();
    let admin = app.admin();
    let put = |body: Value| admin.put("/v1/topics/x", "\"0\"", &body);
    put(json!({ "label": "" })).invalid(&["/label"]);
    put(json!({ "label": "X", "needs": ["hope", "debt", "debt"] })).invalid(&["/needs/0"]);
    put(json!({ "label": "X", "needs": ["debt", "caring", "debt"] })).invalid(&["/needs/2"]);
    let activity = "https://openactive.io/activity-list#c16df6ed-a4a0-4275-a8c3-1c8cff56856f";
    put(json!({ "label": "X", "openactive_activity": activity })).invalid(&["/openactive_label"]);
    put(json!({ "label": "X", "openactive_label": "Tai Chi" })).invalid(&["/openactive_label"]);
    let elsewhere = json!({ "label": "X", "openactive_activity": "https://example.org", "openactive_label": "X" });
    put(elsewhere).invalid(&["/openactive_activity"]);
    for code in ["Tai%20Chi", "tai-chi", "A", "%C3%A9", "a%0A", &"a".repeat(41)] {
        admin.put(&format!("/v1/topics/{code}"), "\"0\"", &json!({ "label": "X" })).wrong_parameter("code");
    }
    admin.get("/v1/topics/x").problem(404, "not-found");
}

#[test]
fn the_topics_of_public_sessions_come_into_the_list_and_go_with_them() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = |changes: Value| id(&make(&admin, &with(session_body(id(&place)), changes))).to_owned();
    session(json!({ "topics": ["secret_plan"], "publication": "draft" }));
    session(json!({ "topics": ["hidden_garden"], "publication": "unlisted" }));
    assert!(!complete(&app), "nothing that only some may see makes a topic");
    let shown = session(json!({ "topics": ["board_games", "reading"] }));
    assert!(complete(&app));
    assert!(!complete(&app), "and is added once");
    let made = app.anonymous().get("/v1/topics/board_games").expect(200);
    assert_eq!((&made["label"], &made["made"]), (&json!("Board games"), &json!(true)));
    assert_eq!(listed(&app).iter().filter(|(_, made)| *made).count(), 1, "reading is described already");
    // An admin agrees with the label: from then on it stays, whatever sessions have.
    let path = "/v1/topics/board_games";
    let agreed = admin.put(path, "\"1\"", &json!({ "label": "Board games" })).expect(200);
    assert_eq!((&agreed["version"], &agreed["made"]), (&json!(2), &json!(false)));
    let other = session(json!({ "topics": ["chess"] }));
    assert!(complete(&app));
    for gone in [shown, other] {
        let (path, tag) = (format!("/v1/sessions/{gone}"), "\"1\"");
        admin.patch(&path, tag, &json!({ "publication": "unlisted" })).expect(200);
    }
    assert!(complete(&app));
    assert!(listed(&app).iter().any(|(code, _)| code == "board_games"));
    app.anonymous().get("/v1/topics/chess").problem(404, "not-found");
}
