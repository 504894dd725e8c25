//! Rosters at the same time, and big ones.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::sessions;
use serde_json::{Value, json};

use crate::rosters::{counts, partner, post_csv, reader, roster, rows, series, single, take_seats, with};
use crate::support::{App, Client};

fn many(prefix: &str, count: usize) -> Value {
    roster(&(0..count).map(|n| series(&format!("{prefix}{n}"))).collect::<Vec<_>>())
}

/// Posts every roster at once; what each created and left as it was.
fn at_once(posts: &[(Client, String, Value)]) -> Vec<(u64, u64)> {
    let count = |body: &Value, name: &str| body["counts"][name].as_u64().unwrap();
    std::thread::scope(|scope| {
        let running: Vec<_> =
            posts.iter().map(|(client, path, body)| scope.spawn(move || client.post(path, body).expect(201))).collect();
        let bodies = running.into_iter().map(|one| one.join().expect("it was answered"));
        bodies.map(|body| (count(&body, "created"), count(&body, "unchanged"))).collect()
    })
}

#[test]
fn two_different_rosters_of_one_partner_at_once_are_both_there() {
    let (app, client, path) = reader();
    let posts = [(client.clone(), path.clone(), many("a", 20)), (client.clone(), path.clone(), many("b", 20))];
    assert_eq!(at_once(&posts), [(20, 0), (20, 0)]);
    assert_eq!(rows(&app).len(), 160);
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_roster_twice_at_once_is_created_once() {
    let (app, client, path) = reader();
    let one = (client, path, many("a", 20));
    let found: BTreeSet<_> = at_once(&[one.clone(), one]).into_iter().collect();
    assert_eq!(found, BTreeSet::from([(0, 20), (20, 0)]));
    assert_eq!(rows(&app).len(), 80);
}

#[test]
fn eight_partners_at_once_lose_nothing() {
    let (app, _, _) = reader();
    let scopes = [Scope::RostersWrite, Scope::RostersRead];
    let posts: Vec<_> = (0..8)
        .map(|n| {
            let id = partner(&app, &format!("partner-{n}"));
            (app.partner_client(&id, &scopes), format!("/v1/partners/{id}/rosters"), many("a", 10))
        })
        .collect();
    assert_eq!(at_once(&posts), [(10, 0); 8]);
    assert_eq!(rows(&app).len(), 320);
    assert_eq!(at_once(&posts), [(0, 10); 8]);
}

/// So many that SQLite's writer is brought their sessions before it writes them.
#[test]
fn two_partners_large_rosters_at_once_are_each_as_they_were_sent() {
    let (app, _, _) = reader();
    let scopes = [Scope::RostersWrite, Scope::RostersRead];
    let weekly = json!({ "recurrence": "FREQ=WEEKLY;COUNT=52" });
    let year = |title: String, one: &str| {
        let entry = |n| with(with(series(&format!("{one}{n}")), weekly.clone()), json!({ "title": title }));
        roster(&(0..25).map(entry).collect::<Vec<_>>())
    };
    let partners = ["one", "two"].map(|name| (name, partner(&app, name)));
    let posts = |title: &str| {
        let post = |(name, id): &(&str, String)| {
            let path = format!("/v1/partners/{id}/rosters");
            (app.partner_client(id, &scopes), path, year(format!("{title} of {name}"), name))
        };
        partners.iter().map(post).collect::<Vec<_>>()
    };
    assert_eq!(at_once(&posts("Poems")), [(25, 0); 2]);
    assert_eq!(at_once(&posts("Poems")), [(0, 25); 2]);
    assert_eq!(at_once(&posts("Plays")), [(0, 0); 2]);
    assert_eq!(rows(&app).len(), 2_600);
    for (name, id) in &partners {
        let of_one = format!("/v1/sessions?partner_id={id}&from=2027-12-01&limit=100");
        let found = app.anonymous().get(&of_one).expect(200);
        let titles: BTreeSet<&str> = found["items"].as_array().unwrap().iter().map(title).collect();
        assert_eq!(titles, BTreeSet::from([format!("Plays of {name}").as_str()]));
    }
}

fn title(session: &Value) -> &str {
    session["title"].as_str().unwrap()
}

#[test]
fn a_roster_that_cancels_and_one_that_names_come_out_as_if_one_had_waited() {
    let (app, client, path) = reader();
    client.post(&path, &many("a", 10)).expect(201);
    let cancelling = format!("{path}?missing=cancel&confirm=cancel");
    let posts = [(client.clone(), cancelling, many("b", 10)), (client, path, many("a", 10))];
    let found = at_once(&posts);
    let states: Vec<(String, i64)> = sessions::table
        .group_by(sessions::status)
        .select((sessions::status, diesel::dsl::count_star()))
        .order(sessions::status)
        .load(&mut app.conn())
        .unwrap();
    // The one that names either changes nothing and is then undone, or brings back what the other called off.
    let (off, on) = (("cancelled".to_owned(), 40), "scheduled".to_owned());
    match found[..] {
        [(10, 0), (0, 10)] => assert_eq!(states, [off, (on, 40)]),
        [(10, 0), (0, 0)] => assert_eq!(states, [(on, 80)]),
        _ => panic!("{found:?}"),
    }
}

/// A table of many single sessions with one wrong row.
fn table(rows: usize, wrong: usize) -> String {
    let header = "external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes\n".to_owned();
    (0..rows).fold(header, |text, n| {
        let venue = if n == wrong { "nowhere" } else { "walton" };
        let day = n % 28 + 1;
        text + &format!(
            "s{n},Reading,community,in_person,{venue},{day}/{}/2027 9:30,Europe/London,90\n",
            n / 28 % 12 + 1
        )
    })
}

#[test]
fn one_bad_row_in_a_big_roster_leaves_nothing_or_is_rejected_alone() {
    let (app, client, path) = reader();
    let text = table(1500, 1234);
    let problem = post_csv(&client, &path, &text).problem(422, "roster-refused");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
    assert_eq!(problem["errors"][0]["pointer"], "/entries/1234/venue");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with("Line 1236: "));
    assert!(rows(&app).is_empty());

    let body = post_csv(&client, &format!("{path}?mode=partial"), &text).expect(201);
    assert_eq!(body["counts"], counts(1499, 0, 0, 1));
    let entry = &body["entries"][1234];
    assert_eq!(
        (&entry["line"], &entry["outcome"], &entry["external_id"]),
        (&json!(1236), &json!("rejected"), &json!("s1234"))
    );
    assert_eq!(rows(&app).len(), 1499);
    let mended = post_csv(&client, &path, &table(1500, usize::MAX)).expect(201);
    assert_eq!(mended["counts"], counts(1, 0, 1499, 0));
}

#[test]
fn a_change_of_many_sessions_changes_each_and_leaves_their_seats() {
    let (app, client, path) = reader();
    let entries = |title: &str, capacity: u32| -> Value {
        let weekly = json!({ "title": title, "capacity": capacity, "recurrence": "FREQ=DAILY;COUNT=600" });
        roster(&[with(series("a"), weekly.clone()), with(series("b"), weekly)])
    };
    client.post(&path, &entries("Reading", 12)).expect(201);
    let before = rows(&app);
    take_seats(&app, before[700].id, 5);
    let body = client.post(&path, &entries("Poems", 8)).expect(201);
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 1200, "cancelled": 0 }));
    let after = rows(&app);
    for (old, new) in before.iter().zip(&after) {
        let wanted = ("Poems", Some(8), 2, old.id, old.starts_at, old.local_start.as_str(), old.status.as_str());
        let found = (new.title.as_str(), new.capacity, new.version, new.id, new.starts_at);
        assert_eq!((found.0, found.1, found.2, found.3, found.4, &*new.local_start, &*new.status), wanted);
    }
    let seats: i32 = sessions::table.find(before[700].id).select(sessions::seats_taken).first(&mut app.conn()).unwrap();
    assert_eq!(seats, 5);
    let small = client.post(&path, &entries("Poems", 4)).expect(201);
    assert_eq!((&small["sessions"]["updated"], small["skipped"].as_array().unwrap().len()), (&json!(1199), 1));
}

#[test]
fn what_is_wrong_everywhere_is_told_within_bounds() {
    let (_app, client, path) = reader();
    let text = "{}\n".repeat(5000);
    let send = |path: &str| client.send("POST", path, &[("content-type", "application/x-ndjson")], text.as_bytes());
    let problem = send(&path).problem(422, "roster-refused");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1000);
    let body = send(&format!("{path}?mode=partial")).expect(201);
    assert_eq!(body["counts"], counts(0, 0, 0, 5000));
    let told = |at: usize| body["entries"][at]["errors"].as_array().unwrap().len();
    assert!(told(0) > 1 && told(4999) == 1, "{} {}", told(0), told(4999));
}

/// Begins a roster of the largest size and sends the first of it.
fn begin(app: &App, client: &Client, path: &str) -> TcpStream {
    let token = client.token.as_deref().unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\nexternal_id",
        16 * 1024 * 1024
    );
    let mut socket = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

/// Begins bodies of the largest size until the partner's share of the room is used up, which its next roster tells.
fn fill_share(app: &App, client: &Client, path: &str) -> Vec<TcpStream> {
    let mut begun = Vec::new();
    // One that meets the small one on its way is refused itself: so one more begins each time.
    let refused = (0..1000).map(|_| {
        begun.push(begin(app, client, path));
        client.post(path, &many("a", 1))
    });
    let refused = refused.into_iter().find(|answer| answer.status != 201).expect("there isn't room for all of them");
    assert_eq!(refused.header("retry-after"), "1");
    let detail = refused.problem(429, "too-much-at-once")["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(" 16777216 bytes; with this one they may take 16777216."), "{detail}");
    begun
}

#[test]
fn a_partner_s_slow_bodies_keep_out_its_own_until_they_have_gone_and_nobody_else_s() {
    let (app, client, path) = reader();
    let scopes = [Scope::RostersWrite, Scope::RostersRead];
    let another = |slug: &str| {
        let id = partner(&app, slug);
        (app.partner_client(&id, &scopes), format!("/v1/partners/{id}/rosters"))
    };
    let (others, theirs) = another("philharmonic");
    let mut slow = fill_share(&app, &client, &path);
    others.post(&theirs, &many("b", 1)).expect(201);
    // An admin has a share too.
    app.admin().post(&path, &many("c", 1)).expect(201);
    // Together they declare all the memory that there is for bodies.
    for slug in ["everyman", "tate", "bluecoat"] {
        let (client, path) = another(slug);
        slow.extend(fill_share(&app, &client, &path));
    }
    others.post(&theirs, &many("b", 2)).expect(201);
    drop(slow);
    let mut answers = (0..10_000).map(|_| client.post(&path, &many("b", 1)));
    let taken = answers.find(|answer| answer.status != 429).expect("there is room once they have gone");
    assert_eq!(taken.expect(201)["counts"]["rejected"], 0);
}

#[test]
fn who_may_post_is_decided_before_the_body_is_read() {
    let (app, _, path) = reader();
    let reads_only = app.partner_client(path.split('/').nth(3).unwrap(), &[Scope::RostersRead]);
    let other = app.partner_client(&partner(&app, "philharmonic"), &[Scope::RostersWrite]);
    for (client, status) in [(reads_only, 403), (app.advisor(), 403), (other, 404), (app.with_token("wrong"), 401)] {
        // Of 16 MiB, eleven bytes are sent.
        let mut socket = begin(&app, &client, &path);
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&answer).contains("\"request_id\"") {
            match socket.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\"request_id\""), "{answer}");
    }
}

#[test]
fn another_partner_s_roster_is_posted_by_nobody_else_however_it_is_asked() {
    let (app, _, path) = reader();
    let other = app.partner_client(&partner(&app, "philharmonic"), &[Scope::RostersWrite]);
    let entries = roster(&[single("a")]);
    for target in [path.clone(), format!("{path}?missing=cancel&confirm=cancel"), format!("{path}?dry_run=true")] {
        other.post(&target, &entries).problem(404, "not-found");
        other.post_with(&target, &[("prefer", "respond-async")], &entries).problem(404, "not-found");
        app.advisor().post_with(&target, &[("prefer", "respond-async")], &entries).problem(403, "forbidden");
    }
    assert!(rows(&app).is_empty());
}
