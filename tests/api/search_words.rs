//! Which words the parameter `q` finds: a singular and its plural, a word with a hyphen and without it.

use serde_json::{Value, json};

use crate::support::App;

#[test]
fn a_plural_finds_its_singular_and_a_hyphen_can_be_left_out() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let titles = [
        "Children of the town",
        "Bring your child",
        "Leaves in the park",
        "A knife for the kitchen",
        "Stories for Women",
        "Tai-Chi",
        "Taichi for beginners",
        "Tai Chi in the hall",
        "Walk for well\u{2011}being",
    ];
    for (number, title) in titles.iter().enumerate() {
        let session = json!({
            "title": title, "pillar": "community", "delivery": "online",
            "local_start": format!("2026-12-0{}T13:00:00", number + 1), "time_zone": "Europe/London", "duration_minutes": 60
        });
        admin.post("/v1/sessions", &session).expect(201);
    }
    for (q, found) in [
        ("child", vec![0, 1]),
        ("children", vec![0, 1]),
        ("leaf", vec![2]),
        ("leaves", vec![2]),
        ("knives", vec![3]),
        ("story", vec![4]),
        ("woman", vec![4]),
        ("taichi", vec![5, 6]),
        ("tai-chi", vec![5, 6, 7]),
        ("tai%E2%80%91chi", vec![5, 6, 7]),
        ("tai+chi", vec![5, 7]),
        ("tai-ch*", vec![5, 7]),
        ("wellbeing", vec![8]),
        ("well-being", vec![8]),
        ("being+walk", vec![8]),
        ("wellbe*", vec![8]),
    ] {
        let items = anyone.get(&format!("/v1/sessions?q={q}")).expect(200)["items"].clone();
        let names: Vec<&str> = items.as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect();
        assert_eq!(names, found.iter().map(|at| titles[*at]).collect::<Vec<_>>(), "{q}");
    }
    let venue = json!({ "slug": "a", "name": "Drop-in of the leaf", "kind": "library", "local_authority": "Sefton" });
    admin.post("/v1/venues", &venue).expect(201);
    for q in ["dropin", "drop-in", "drop+in", "leaves"] {
        let found = anyone.get(&format!("/v1/venues?q={q}")).expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{q}");
    }
}

#[test]
fn a_long_description_hides_neither_facilitator_nor_topics() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let words: Vec<String> = (0..400).map(|number| format!("w{number}")).collect();
    let session = json!({
        "title": "Shared Reading", "pillar": "community", "delivery": "online", "facilitator": "Priya Nair",
        "topics": ["poetry"], "description": words.join(" "), "local_start": "2026-12-01T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60
    });
    admin.post("/v1/sessions", &session).expect(201);
    let found = |q: &str| anyone.get(&format!("/v1/sessions?q={q}")).expect(200)["items"].as_array().map(Vec::len);
    for q in ["reading", "priya+nair", "poetry", "w0", "w294"] {
        assert_eq!(found(q), Some(1), "{q}");
    }
    // Five words are of the title, the facilitator and the topic, so 295 of the description are left.
    assert_eq!(found("w295"), Some(0));
    let document: Value = app.anonymous().get("/openapi.json").expect(200);
    let parameters = document["paths"]["/v1/sessions"]["get"]["parameters"].as_array().unwrap();
    let q = parameters.iter().find(|parameter| parameter["name"] == "q").unwrap();
    assert!(q["description"].as_str().unwrap().contains("at most 300 different words"), "{q}");
}
