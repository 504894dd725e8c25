//! Sites and where they were hosted.

use serde_json::{Value, json};

use crate::support::{App, Client, id, partner, venue};

fn site(admin: &Client, slug: &str) -> Value {
    admin.post("/v1/sites", &json!({ "slug": slug, "name": format!("Site {slug}") })).expect(201)
}

#[test]
fn a_site_is_created_read_listed_and_changed() {
    let app = App::start();
    let admin = app.admin();
    let created = admin.post("/v1/sites", &json!({ "slug": "central-liverpool", "name": "Central Liverpool" }));
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    assert_eq!(app.anonymous().get(&path).expect(200), created.json);
    let changed = admin.patch(&path, created.etag(), &json!({ "name": "Central" })).expect(200);
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Central"), &json!(2)));
    let other = site(&admin, "bootle");
    assert_eq!(app.anonymous().get("/v1/sites").expect(200)["items"], json!([changed, other]));
    let problem = admin.post("/v1/sites", &json!({ "slug": "bootle", "name": "B" })).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/slug");
    admin.patch(&path, "\"1\"", &json!({ "name": "X" })).problem(412, "precondition-failed");
    admin.post("/v1/sites", &json!({ "slug": "-", "name": "", "venue": 1 })).invalid(&["/slug", "/name", "/venue"]);
}

#[test]
fn only_admins_write_sites_and_hostings() {
    let app = App::start();
    let admin = app.admin();
    let site = site(&admin, "walton");
    let venue = venue(&admin, "walton", "Liverpool");
    let hosting = json!({ "venue_id": id(&venue), "starts_on": "2021-10-01" });
    let hostings = format!("/v1/sites/{}/hostings", id(&site));
    let made = admin.post(&hostings, &hosting).expect(201);
    for client in [app.advisor(), app.analyst(), app.partner_user(id(&partner(&admin, "a")))] {
        client.post("/v1/sites", &json!({ "slug": "a", "name": "A" })).problem(403, "forbidden");
        client.patch(&format!("/v1/sites/{}", id(&site)), "\"1\"", &json!({ "name": "X" })).problem(403, "forbidden");
        client.post(&hostings, &hosting).problem(403, "forbidden");
        client.patch(&format!("{hostings}/{}", id(&made)), "\"1\"", &json!({})).problem(403, "forbidden");
    }
    app.anonymous().post(&hostings, &hosting).problem(401, "unauthenticated");
    assert_eq!(app.anonymous().get(&hostings).expect(200)["items"], json!([made]));
}

#[test]
fn a_site_moves_from_one_venue_to_another() {
    let app = App::start();
    let admin = app.admin();
    let site = site(&admin, "central");
    let host = partner(&admin, "everyman");
    let (theatre, library) = (venue(&admin, "theatre", "Liverpool"), venue(&admin, "library", "Liverpool"));
    let list = format!("/v1/sites/{}/hostings", id(&site));
    let body = json!({ "venue_id": id(&theatre), "partner_id": id(&host), "starts_on": "2021-10-01" });
    let first = admin.post(&list, &body);
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.json["ends_on"], json!(null));
    let path = first.header("location").to_owned();
    assert_eq!(app.anonymous().get(&path).expect(200), first.json);

    let body = json!({ "venue_id": id(&library), "starts_on": "2024-04-01" });
    let problem = admin.post(&list, &body).problem(409, "hosting-overlap");
    assert!(problem["detail"].as_str().unwrap().contains("2021-10-01"), "{problem}");
    let first = admin.patch(&path, "\"1\"", &json!({ "ends_on": "2024-03-31" })).expect(200);
    let second = admin.post(&list, &body).expect(201);
    assert_eq!(app.anonymous().get(&list).expect(200)["items"], json!([first, second]));
    admin.patch(&path, "\"2\"", &json!({ "ends_on": null })).problem(409, "hosting-overlap");
    admin.patch(&path, "\"2\"", &json!({ "ends_on": "2024-04-01" })).problem(409, "hosting-overlap");
    admin.patch(&path, "\"1\"", &json!({ "ends_on": null })).problem(412, "precondition-failed");
    assert_eq!(admin.get(&path).json, first);
}

#[test]
fn the_days_at_both_ends_belong_to_a_hosting() {
    let app = App::start();
    let admin = app.admin();
    let (site, other) = (site(&admin, "a"), site(&admin, "b"));
    let venue = venue(&admin, "v", "Sefton");
    let list = format!("/v1/sites/{}/hostings", id(&site));
    let hosting =
        |from: &str, until: Option<&str>| json!({ "venue_id": id(&venue), "starts_on": from, "ends_on": until });
    admin.post(&list, &hosting("2022-02-10", Some("2022-02-20"))).expect(201);
    for (from, until) in [
        ("2022-02-01", Some("2022-02-10")),
        ("2022-02-20", Some("2022-02-28")),
        ("2022-02-12", Some("2022-02-13")),
        ("2022-02-01", Some("2022-02-28")),
        ("2022-02-01", None),
        ("2022-02-20", None),
    ] {
        admin.post(&list, &hosting(from, until)).problem(409, "hosting-overlap");
    }
    admin.post(&list, &hosting("2022-02-01", Some("2022-02-09"))).expect(201);
    admin.post(&list, &hosting("2022-02-21", Some("2022-02-21"))).expect(201);
    admin.post(&list, &hosting("2022-02-22", None)).expect(201);
    let elsewhere = format!("/v1/sites/{}/hostings", id(&other));
    admin.post(&elsewhere, &hosting("2022-02-12", None)).expect(201);
    let items = app.anonymous().get(&list).json["items"].clone();
    let days: Vec<&str> = items.as_array().unwrap().iter().map(|h| h["starts_on"].as_str().unwrap()).collect();
    assert_eq!(days, ["2022-02-01", "2022-02-10", "2022-02-21", "2022-02-22"]);
}

#[test]
fn faults_of_a_hosting_point_at_their_member() {
    let app = App::start();
    let admin = app.admin();
    let site = site(&admin, "a");
    let venue = venue(&admin, "v", "Sefton");
    let list = format!("/v1/sites/{}/hostings", id(&site));
    let nobody = app.clock.new_id().to_string();
    let body = json!({ "venue_id": nobody, "partner_id": nobody, "starts_on": "2022-02-01" });
    let problem = admin.post(&list, &body).invalid(&["/venue_id", "/partner_id"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_venue");
    assert_eq!(problem["errors"][1]["code"], "unknown_partner");
    let body = json!({ "venue_id": id(&venue), "starts_on": "2022-02-02", "ends_on": "2022-02-01" });
    admin.post(&list, &body).invalid(&["/ends_on"]);
    admin.post(&list, &json!({ "venue_id": "v", "starts_on": "today" })).invalid(&["/venue_id", "/starts_on"]);
    let body = json!({ "venue_id": id(&venue), "starts_on": "2022-02-01" });
    admin.post(&format!("/v1/sites/{nobody}/hostings"), &body).problem(404, "not-found");
    let made = admin.post(&list, &body).expect(201);
    admin.patch(&format!("{list}/{}", id(&made)), "\"1\"", &json!({ "venue_id": nobody })).invalid(&["/venue_id"]);
    let other = self::site(&admin, "b");
    admin.get(&format!("/v1/sites/{}/hostings/{}", id(&other), id(&made))).problem(404, "not-found");
}

#[test]
fn hostings_posted_at_the_same_time_do_not_overlap() {
    let app = App::start();
    let admin = app.admin();
    let site = site(&admin, "a");
    let venue = venue(&admin, "v", "Sefton");
    let list = format!("/v1/sites/{}/hostings", id(&site));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let posts: Vec<_> = (1..=12)
            .map(|day| {
                let body = json!({ "venue_id": id(&venue), "starts_on": format!("2022-02-{day:02}") });
                let (admin, list) = (&admin, &list);
                scope.spawn(move || admin.post(list, &body).status)
            })
            .collect();
        posts.into_iter().map(|post| post.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 11, "{statuses:?}");
    assert_eq!(app.anonymous().get(&list).json["items"].as_array().unwrap().len(), 1);
}
