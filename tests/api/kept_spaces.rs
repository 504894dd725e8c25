//! Spaces that are kept for named partners, and drafts, which hold none.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, sessions_of, with};
use crate::rosters::{counts, roster, series, single};
use crate::support::{App, Client, id, partner_row, venue};

/// A server with two partners, a venue and a space in it.
struct World {
    app: App,
    admin: Client,
    reader: String,
    own: Client,
    phil: String,
    other: Client,
    place: Value,
    room: Value,
}

fn start(kept: impl Fn(&str, &str) -> Value) -> World {
    let app = App::start();
    let admin = app.admin();
    let (reader, phil) = (partner_row(&app, "reader"), partner_row(&app, "phil"));
    let scopes = [Scope::SessionsWrite, Scope::RostersWrite, Scope::RostersRead];
    let (own, other) = (app.partner_client(&reader, &scopes), app.partner_client(&phil, &scopes));
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "name": "Room 1", "kept_for": kept(&reader, &phil) });
    let room = admin.post(&format!("/v1/venues/{}/spaces", id(&place)), &body).expect(201);
    World { app, admin, reader, own, phil, other, place, room }
}

impl World {
    /// An hour in the space.
    fn session(&self, start: &str, more: Value) -> Value {
        let there = json!({ "space_id": id(&self.room), "local_start": start, "duration_minutes": 60 });
        with(with(session_body(id(&self.place)), there), more)
    }

    fn weekly(&self, count: u32, more: Value) -> Value {
        let rule = json!({ "recurrence": format!("FREQ=WEEKLY;COUNT={count}") });
        with(self.session("2027-01-05T13:00:00", rule), more)
    }

    fn keep_for(&self, partners: Value) -> Value {
        change(&self.admin, &self.space(), &json!({ "kept_for": partners })).expect(200)
    }

    fn space(&self) -> String {
        format!("/v1/venues/{}/spaces/{}", id(&self.place), id(&self.room))
    }
}

#[track_caller]
fn kept(answer: crate::support::Answer, pointer: &str) {
    let problem = answer.invalid(&[pointer]);
    assert_eq!(problem["errors"][0]["code"], "space_kept", "{problem:#}");
}

fn skips(answer: &Value) -> Vec<(&str, &str)> {
    let skipped = answer["skipped"].as_array().expect("skipped").iter();
    skipped.map(|skip| (skip["local_start"].as_str().unwrap(), skip["reason"].as_str().unwrap())).collect()
}

#[test]
fn a_space_is_kept_for_up_to_fifty_partners_that_exist() {
    let world = start(|reader, _| json!([reader]));
    assert_eq!(world.app.anonymous().get(&world.space()).expect(200)["kept_for"], json!([world.reader]));
    assert_eq!(world.keep_for(json!([world.phil, world.reader]))["kept_for"], json!([world.phil, world.reader]));
    let (nobody, list) = (world.app.clock.new_id().to_string(), format!("/v1/venues/{}/spaces", id(&world.place)));
    let body = |partners: &[&str]| json!({ "name": "Room 2", "kept_for": partners });
    let unknown = world.admin.post(&list, &body(&[&world.reader, &nobody])).invalid(&["/kept_for/1"]);
    assert_eq!(unknown["errors"][0]["code"], "unknown_partner");
    change(&world.admin, &world.space(), &json!({ "kept_for": [nobody] })).invalid(&["/kept_for/0"]);
    world.admin.post(&list, &body(&[&world.reader, &world.reader])).invalid(&["/kept_for/1"]);
    world.admin.post(&list, &body(&["reader"])).invalid(&["/kept_for/0"]);
    let many: Vec<String> = (0..51).map(|n| partner_row(&world.app, &format!("p{n}"))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    world.admin.post(&list, &body(&many)).invalid(&["/kept_for"]);
    world.admin.post(&list, &body(&many[..50])).expect(201);
    assert_eq!(world.keep_for(Value::Null)["kept_for"], json!([]), "null is for anybody again");
}

#[test]
fn others_can_not_plan_anything_in_a_kept_space_and_the_service_itself_can() {
    let world = start(|reader, _| json!([reader]));
    let World { admin, own, other, phil, reader, .. } = &world;
    let at = |start: &str| world.session(start, json!({}));
    let of_phil = |start: &str| world.session(start, json!({ "partner_id": phil }));
    kept(other.post("/v1/sessions", &at("2027-01-05T13:00:00")), "/space_id");
    kept(admin.post("/v1/sessions", &of_phil("2027-01-05T13:00:00")), "/space_id");
    kept(other.post("/v1/sessions", &with(at("2027-01-05T13:00:00"), json!({ "publication": "draft" }))), "/space_id");
    kept(other.post("/v1/session-series", &world.weekly(2, json!({}))), "/space_id");
    own.post("/v1/sessions", &at("2027-01-05T09:00:00")).expect(201);
    admin.post("/v1/sessions", &at("2027-01-05T10:00:00")).expect(201);
    own.post("/v1/session-series", &world.weekly(2, json!({}))).expect(201);

    let elsewhere = json!({ "space_id": null, "local_start": "2027-02-02T13:00:00" });
    let session = other.post("/v1/sessions", &with(at("2027-01-05T13:00:00"), elsewhere.clone())).expect(201);
    kept(change(other, &path(&session), &json!({ "space_id": id(&world.room) })), "/space_id");
    let weekly = other.post("/v1/session-series", &world.weekly(3, elsewhere)).expect(201);
    kept(change(other, &series_path(&weekly), &json!({ "space_id": id(&world.room) })), "/space_id");
    let cut = json!({ "from": "2027-02-09T13:00:00", "changes": { "space_id": id(&world.room) } });
    kept(other.post(&format!("{}/split", series_path(&weekly)), &cut), "/changes/space_id");

    let (theirs, mine) = (format!("/v1/partners/{phil}/rosters"), format!("/v1/partners/{reader}/rosters"));
    let entries = [
        with(series("a"), json!({ "space": "Room 1" })),
        with(single("b"), json!({ "duration_minutes": 0, "space": id(&world.room) })),
    ];
    let problem = other.post(&theirs, &roster(&entries)).problem(422, "roster-refused");
    let faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    let both = [("/entries/0/space", "space_kept"), ("/entries/1/space", "space_kept")];
    assert!(both.iter().all(|fault| faults.contains(fault)) && faults.len() == 3, "{faults:?}");
    let later = json!({ "space": "Room 1", "local_start": "2027-05-04T13:00:00" });
    let posted = own.post(&mine, &roster(&[with(series("a"), later)])).expect(201);
    assert_eq!((posted["sessions"]["created"].clone(), skips(&posted).len()), (json!(4), 0));
}

#[test]
fn what_is_planned_in_a_space_that_is_kept_later_stays_and_can_be_changed_there() {
    let world = start(|_, _| json!([]));
    let World { other, phil, reader, .. } = &world;
    let session = other.post("/v1/sessions", &world.session("2027-03-01T09:00:00", json!({}))).expect(201);
    let weekly = other.post("/v1/session-series", &world.weekly(3, json!({}))).expect(201);
    let at = format!("/v1/partners/{phil}/rosters");
    let entry = with(series("a"), json!({ "space": "Room 1", "local_start": "2027-05-04T13:00:00" }));
    other.post(&at, &roster(std::slice::from_ref(&entry))).expect(201);
    world.keep_for(json!([reader]));
    change(other, &path(&session), &json!({ "local_start": "2027-03-01T10:00:00", "title": "Poems" })).expect(200);
    change(other, &series_path(&weekly), &json!({ "local_start": "2027-01-05T14:00:00" })).expect(200);
    let cut = json!({ "from": "2027-01-12T14:00:00", "changes": { "duration_minutes": 50 } });
    other.post(&format!("{}/split", series_path(&weekly)), &cut).expect(201);
    assert_eq!(other.post(&at, &roster(std::slice::from_ref(&entry))).expect(201)["counts"], counts(0, 0, 1, 0));
    let moved = with(entry, json!({ "duration_minutes": 60 }));
    assert_eq!(other.post(&at, &roster(&[moved])).expect(201)["counts"], counts(0, 1, 0, 0));
    kept(other.post("/v1/sessions", &world.session("2027-03-01T18:00:00", json!({}))), "/space_id");
    change(other, &path(&session), &json!({ "space_id": null })).expect(200);
    kept(change(other, &path(&session), &json!({ "space_id": id(&world.room) })), "/space_id");
}

#[test]
fn a_draft_holds_no_space_until_it_is_published() {
    let world = start(|_, _| json!([]));
    let World { own, other, admin, .. } = &world;
    let draft = |start: &str| world.session(start, json!({ "publication": "draft", "title": "Secret" }));
    let one = own.post("/v1/sessions", &draft("2027-01-05T13:00:00")).expect(201);
    let two = own.post("/v1/sessions", &draft("2027-01-05T13:30:00")).expect(201);
    let theirs = other.post("/v1/sessions", &world.session("2027-01-05T14:00:00", json!({}))).expect(201);
    change(own, &path(&two), &json!({ "local_start": "2027-01-05T14:10:00" })).expect(200);
    let publish = json!({ "publication": "published" });
    let told = change(own, &path(&two), &publish).problem(409, "space-taken");
    assert!(
        told["detail"].as_str().unwrap().contains(&format!("“Reading” of Partner phil (/v1/sessions/{})", id(&theirs))),
        "{told:#}"
    );
    change(own, &path(&two), &json!({ "publication": "unlisted" })).problem(409, "space-taken");
    change(own, &path(&two), &json!({ "title": "Still a draft" })).expect(200);
    change(own, &path(&one), &publish).expect(200);
    other.post("/v1/sessions", &world.session("2027-01-05T13:59:00", json!({}))).problem(409, "space-taken");
    // Taken back into a draft, it frees the space.
    change(own, &path(&one), &json!({ "publication": "draft" })).expect(200);
    let free = other.post("/v1/sessions", &world.session("2027-01-05T13:00:00", json!({}))).expect(201);
    change(own, &path(&one), &publish).problem(409, "space-taken");
    admin.post(&format!("{}/cancel", path(&free)), &json!({ "reason": "Ill" })).expect(200);
    change(own, &path(&one), &publish).expect(200);
    // A draft that was there before a space was kept for others isn't published there.
    world.keep_for(json!([world.phil]));
    kept(change(own, &path(&two), &publish), "/space_id");
}

#[test]
fn the_sessions_of_a_draft_series_take_their_space_when_it_is_published_and_those_that_can_not_stay_drafts() {
    let world = start(|_, _| json!([]));
    let World { own, other, admin, .. } = &world;
    let daily = json!({ "publication": "draft", "recurrence": "FREQ=DAILY;COUNT=4", "duration_minutes": 1440 });
    let daily = own.post("/v1/session-series", &world.weekly(4, daily)).expect(201);
    assert_eq!((daily["sessions"]["created"].clone(), skips(&daily).len()), (json!(4), 0));
    let there = other.post("/v1/sessions", &world.session("2027-01-06T15:00:00", json!({}))).expect(201);
    let at = series_path(&daily);
    let publish = json!({ "publication": "published" });
    let published = change(own, &at, &publish).expect(200);
    // The session of the 6th begins at 13:00 and lasts a day.
    assert_eq!(skips(&published), [("2027-01-06T13:00:00", "space_taken")]);
    assert_eq!(published["sessions"]["updated"], 3);
    let publications = || {
        let all = sessions_of(admin, &daily);
        all.iter().map(|session| session["publication"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(publications(), ["published", "draft", "published", "published"]);
    other.post("/v1/sessions", &world.session("2027-01-07T18:00:00", json!({}))).problem(409, "space-taken");
    let again = change(own, &at, &json!({ "title": "Poems" })).expect(200);
    assert_eq!(skips(&again), [("2027-01-06T13:00:00", "space_taken")]);
    other.post(&format!("{}/cancel", path(&there)), &json!({ "reason": "Ill" })).expect(200);
    assert_eq!(skips(&change(own, &at, &publish).expect(200)).len(), 0, "the same again makes it follow");
    assert_eq!(publications(), ["published"; 4]);
    change(own, &at, &json!({ "publication": "draft" })).expect(200);
    other.post("/v1/sessions", &world.session("2027-01-07T18:00:00", json!({}))).expect(201);
    let moved = change(own, &at, &json!({ "publication": "published", "duration_minutes": 1000 })).expect(200);
    assert_eq!(skips(&moved), [("2027-01-07T13:00:00", "space_taken")], "published and changed at once");
}

#[test]
fn drafts_of_a_roster_hold_no_space_and_a_roster_that_publishes_them_skips_what_clashes() {
    let world = start(|_, _| json!([]));
    let (World { own, other, reader, .. }, there) = (&world, json!({ "space": "Room 1" }));
    let at = format!("/v1/partners/{reader}/rosters");
    let entry =
        |name: &str, publication: &str| with(with(series(name), there.clone()), json!({ "publication": publication }));
    let drafts = [entry("a", "draft"), entry("b", "draft")];
    let posted = own.post(&at, &roster(&drafts)).expect(201);
    assert_eq!((posted["sessions"]["created"].clone(), skips(&posted).len()), (json!(8), 0));
    let theirs = other.post("/v1/sessions", &world.session("2027-01-12T13:00:00", json!({}))).expect(201);
    let published = own.post(&at, &roster(&[entry("a", "published"), entry("b", "published")])).expect(201);
    let skipped: Vec<&str> = skips(&published).iter().map(|(start, _)| *start).collect();
    // All of b, and the one of a where the other partner is.
    assert_eq!(
        (skipped.len(), skips(&published).iter().all(|(_, reason)| *reason == "space_taken")),
        (5, true),
        "{published:#}"
    );
    other.post(&format!("{}/cancel", path(&theirs)), &json!({ "reason": "Ill" })).expect(200);
    // One goes back into a draft, and the other takes its place in the same roster.
    let changed = own.post(&at, &roster(&[entry("a", "draft"), entry("b", "unlisted")])).expect(201);
    assert_eq!(skips(&changed).len(), 0, "{changed:#}");
    assert_eq!(changed["sessions"]["updated"], 7, "the one of a that was skipped is a draft still");
}

#[test]
fn of_drafts_that_are_published_at_the_same_time_in_one_space_one_is() {
    let world = start(|_, _| json!([]));
    let draft = world.session("2027-01-05T13:00:00", json!({ "publication": "draft" }));
    let weekly = world.weekly(1, json!({ "publication": "draft" }));
    let make = |client: &Client| {
        let session = client.post("/v1/sessions", &draft).expect(201);
        let series = client.post("/v1/session-series", &weekly).expect(201);
        [path(&session), series_path(&series)]
    };
    let drafts: Vec<(&Client, String)> = [&world.own, &world.other, &world.admin]
        .into_iter()
        .flat_map(|client| make(client).into_iter().chain(make(client)).map(move |path| (client, path)))
        .collect();
    let publish = |client: &Client, path: &str| loop {
        let answer = change(client, path, &json!({ "publication": "published" }));
        // Who had to wait for too long asks again.
        if answer.status != 503 {
            return answer;
        }
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            drafts.iter().map(|(client, path)| scope.spawn(move || publish(client, path).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let held = world.app.anonymous().get("/v1/sessions?limit=100").expect(200);
    assert_eq!(held["items"].as_array().unwrap().len(), 1, "{held:#}");
}
