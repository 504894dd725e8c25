//! What people want to know before they come: price, ages, what to bring, languages, whom to ask, a picture.

use diesel::prelude::*;
use life_rooms::db::schema::{listings, session_series};
use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, sessions_of, with};
use crate::rosters::{self, counts, post_csv, reader};
use crate::support::{App, id, venue};

fn all() -> Value {
    json!({
        "image": { "url": "https://images.example.org/reading.jpg", "alt": "Six people, and a \"book\"." },
        "price_pence": 250, "price_note": "Carers, too, come free.", "min_age": 16, "max_age": 25,
        "what_to_bring": "A pen, paper\nand an apron.", "languages": ["en", "pl", "bfi"],
        "public_contact": { "email": "walton@example.org", "phone": "0151 496 0000" }
    })
}

/// Of an answer, the members that [`all`] has.
fn shown(answer: &Value) -> Value {
    let names = all();
    names.as_object().unwrap().keys().map(|name| (name.clone(), answer[name].clone())).collect()
}

#[test]
fn a_series_and_its_sessions_say_it_to_everybody_and_follow_a_change() {
    let app = App::start();
    let (admin, anybody) = (app.admin(), app.anonymous());
    let place = venue(&admin, "walton", "Liverpool");
    let weekly = with(session_body(id(&place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    let plain = admin.post("/v1/session-series", &weekly).expect(201);
    assert_eq!((&plain["price_pence"], &plain["is_free"]), (&Value::Null, &json!(true)));
    assert_eq!((&plain["languages"], &plain["image"]), (&json!([]), &Value::Null));

    let changed = change(&admin, &series_path(&plain), &all()).expect(200);
    assert_eq!((shown(&changed), &changed["is_free"]), (all(), &json!(false)));
    assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 3, "cancelled": 0 }));
    assert_eq!(shown(&anybody.get(&series_path(&plain)).expect(200)), all());
    let sessions = sessions_of(&anybody, &plain);
    assert!(sessions.iter().all(|session| shown(session) == all() && session["is_free"] == false));

    // A session can differ, and then stays so.
    let patch = json!({ "price_pence": 0, "price_note": null, "image": null, "public_contact": { "phone": null } });
    let one = change(&admin, &path(&sessions[1]), &patch).expect(200);
    assert_eq!((&one["is_free"], &one["price_note"], &one["image"]), (&json!(true), &Value::Null, &Value::Null));
    assert_eq!(one["public_contact"], json!({ "email": "walton@example.org", "phone": null }));
    assert_eq!(one["what_to_bring"], all()["what_to_bring"]);
    let again = change(&admin, &path(&sessions[1]), &patch).expect(200);
    assert_eq!(again["version"], one["version"]);
    change(&admin, &series_path(&plain), &json!({ "price_pence": 300 })).expect(200);
    let prices: Vec<Value> = sessions_of(&anybody, &plain).iter().map(|one| one["price_pence"].clone()).collect();
    assert_eq!(prices, [json!(300), json!(0), json!(300)]);
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = session_body(id(&place));
    let image = |url: &str| json!({ "image": { "url": url, "alt": "x" } });
    for (wrong, pointer, code) in [
        (image("http://images.example.org/a.jpg"), "/image/url", "wrong_format"),
        (image("javascript:alert(1)"), "/image/url", "wrong_format"),
        (json!({ "image": { "url": "https://images.example.org/a.jpg" } }), "/image/alt", "required"),
        (json!({ "min_age": 26, "max_age": 25 }), "/max_age", "not_in_order"),
        (json!({ "price_pence": -1 }), "/price_pence", "too_small"),
        (json!({ "languages": ["Polish"] }), "/languages/0", "wrong_format"),
        (json!({ "languages": ["xx"] }), "/languages/0", "wrong_format"),
        (json!({ "public_contact": {} }), "/public_contact", "required"),
        (json!({ "public_contact": { "phone": "00000000000000000000" } }), "/public_contact/phone", "wrong_phone"),
        (json!({ "public_contact": { "name": "Ann" } }), "/public_contact/name", "unknown_field"),
    ] {
        let problem = admin.post("/v1/sessions", &with(session.clone(), wrong.clone())).invalid(&[pointer]);
        assert_eq!(problem["errors"][0]["code"], code, "{wrong}");
    }
    // A tag and an address are kept in one form.
    let written =
        json!({ "languages": ["EN-gb", "zh-hant"], "image": { "url": "HTTPS://Images.example.org/a", "alt": "x" } });
    let kept = admin.post("/v1/sessions", &with(session, written)).expect(201);
    assert_eq!(kept["languages"], json!(["en-GB", "zh-Hant"]));
    assert_eq!(kept["image"]["url"], "https://images.example.org/a");
}

#[test]
fn a_roster_states_it_in_json_and_in_a_sheet() {
    let (app, client, path) = reader();
    let entry = rosters::with(rosters::series("a"), all());
    assert_eq!(client.post(&path, &rosters::roster(&[entry])).expect(201)["counts"], counts(1, 0, 0, 0));
    let listed = app.anonymous().get("/v1/sessions?limit=1").expect(200);
    assert_eq!(shown(&listed["items"][0]), all());

    let sheet = |price: &str, ages: &str, languages: &str| {
        format!(
            "external_id,title,pillar,delivery,venue,local_start,duration_minutes,recurrence,capacity,Picture,\
             Picture description,Price,price_note,Minimum age,max_age,Bring,languages,E-mail,Phone\n\
             a,Shared Reading,community,in_person,walton,2027-01-05T13:00:00,90,FREQ=WEEKLY;COUNT=4,12,\
             https://images.example.org/reading.jpg,\"Six people, and a \"\"book\"\".\",{price},\"Carers, too, come free.\",\
             {ages},\"A pen, paper\nand an apron.\",{languages},walton@example.org,0151 496 0000\n"
        )
    };
    let same = post_csv(&client, &path, &sheet("£2.50", "16+,25", "English|Polish|BSL")).expect(201);
    assert_eq!(same["counts"], counts(0, 0, 1, 0), "{same}");
    let wrong = post_csv(&client, &path, &sheet("a little", "30,25", "English|Klingon"));
    let problem = wrong.problem(422, "roster-refused");
    let faults = problem["errors"].as_array().unwrap().iter();
    let mut pointers: Vec<&str> = faults.map(|fault| fault["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/entries/0/languages/1", "/entries/0/max_age", "/entries/0/price"]);
    let http =
        sheet("free", "16,25", "en").replace("https://", "http://").replace("walton@example.org,0151 496 0000", ",");
    let problem = post_csv(&client, &path, &http).problem(422, "roster-refused");
    assert_eq!(problem["errors"][0]["pointer"], "/entries/0/image_url");
}

#[test]
fn its_texts_count_as_text_of_the_partner_in_the_database_as_in_the_server() {
    let (app, client, path) = reader();
    let entry = rosters::with(rosters::series("a"), all());
    client.post(&path, &rosters::roster(&[entry, rosters::series("b")])).expect(201);
    let mut conn = app.conn();
    let mut of_series: Vec<i32> = session_series::table.select(session_series::text_bytes).load(&mut conn).unwrap();
    let mut of_wordings: Vec<i32> = listings::table.select(listings::bytes).load(&mut conn).unwrap();
    of_series.sort_unstable();
    of_wordings.sort_unstable();
    assert_eq!(of_series, of_wordings);
    assert!(of_series[1] - of_series[0] > 150, "{of_series:?}");
}
