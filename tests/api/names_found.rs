//! Members are found by a misspelt name, and by what a record said that was merged into theirs.

use serde_json::{Value, json};

use crate::erasures::{asked, execute};
use crate::merges::{merge, path, person, undo};
use crate::support::{App, Client, id, member};

/// The ids that a search shows, in its order.
fn found(advisor: &Client, wanted: Value) -> Vec<String> {
    let found = advisor.post("/v1/members/search", &wanted).expect(200);
    found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_misspelt_name_is_found_behind_those_that_are_spelt_so() {
    let app = App::start();
    let advisor = app.advisor();
    let nadia = member(&advisor, "Nadia", "Neverdale");
    let steven = member(&advisor, "Steven", "Stephenson");
    let hassan = member(&advisor, "Layla", "Al-Hassan");
    let is = |name: &str, who: &Value| assert_eq!(found(&advisor, json!({ "name": name })), [id(who)], "{name}");
    for name in ["nadja neverdail", "Neverdail Nadia", "neverdail", "nadia jane neverdail"] {
        is(name, &nadia);
    }
    for name in ["stephen stevenson", "stevenson"] {
        is(name, &steven);
    }
    is("leila alhasan", &hassan);
    // What is spelt so comes first, and every other condition holds.
    let exact = advisor.post(
        "/v1/members?confirm_not_duplicate=true",
        &json!({ "given_name": "Stephen", "family_name": "Stevenson", "postcode": "L9 1AA", "roles": ["service_user"] }),
    );
    let exact = exact.expect(201);
    assert_eq!(found(&advisor, json!({ "name": "stephen stevenson" })), [id(&exact), id(&steven)]);
    assert_eq!(found(&advisor, json!({ "name": "steven stephenson" })), [id(&steven), id(&exact)]);
    assert_eq!(found(&advisor, json!({ "name": "steven stephenson", "postcode": "L9 1AA" })), [id(&exact)]);
    let first = advisor.post("/v1/members/search", &json!({ "name": "steven stephenson", "limit": 1 })).expect(200);
    assert_eq!((&first["items"][0]["id"], &first["more"]), (&steven["id"], &json!(true)));
    // The same sound alone is too little: Reid and Wright.
    member(&advisor, "Ann", "Wright");
    assert_eq!(found(&advisor, json!({ "name": "reid" })), [""; 0]);
    execute(&app.admin(), &asked(&advisor, id(&nadia)), true).expect(200);
    assert_eq!(found(&advisor, json!({ "name": "nadja neverdail" })), [""; 0]);
}

#[test]
fn names_as_long_as_they_may_be_are_kept_and_found() {
    let app = App::start();
    let advisor = app.advisor();
    for letters in ["ab", "жш", "ሀለ"] {
        let name =
            |number: usize| format!("{number} ").chars().chain(letters.chars().cycle()).take(200).collect::<String>();
        let words = |number: usize| {
            let spaced =
                name(number).chars().enumerate().map(|(at, c)| if at % 3 == 2 { ' ' } else { c }).collect::<String>();
            spaced.trim_end().to_owned()
        };
        let former: Vec<String> = (1..=5).map(words).collect();
        let body =
            json!({ "given_name": "Long", "family_name": "Named", "former_names": former, "roles": ["service_user"] });
        let long = advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201);
        assert!(found(&advisor, json!({ "name": "long named" })).contains(&id(&long).to_owned()));
        assert!(
            found(&advisor, json!({ "name": former[0].split(' ').next().unwrap() })).contains(&id(&long).to_owned())
        );
    }
}

/// A record and one that says everything else of the same person, which is merged into the first.
fn joined(advisor: &Client) -> (Value, Value, Value) {
    let into = person(
        advisor,
        "Margaret",
        json!({ "email": "peg@example.org", "phone": "0151 496 0123", "postcode": "L9 1AA" }),
    );
    let from = advisor.post(
        "/v1/members?confirm_not_duplicate=true",
        &json!({ "given_name": "Zuleika", "family_name": "Okonkwo", "email": "Z@Example.org", "phone": "0151 496 0456",
            "postcode": "PR8 1DJ", "roles": ["service_user"] }),
    );
    let from = from.expect(201);
    let merged = merge(advisor, &into, &from).expect(200);
    (into, from, merged)
}

const EARLIER: [(&str, &str); 5] = [
    ("name", "zuleika okonkwo"),
    ("name", "okonk"),
    ("email", "z@example.org"),
    ("phone", "01514960456"),
    ("postcode", "pr8 1dj"),
];

#[test]
fn who_was_merged_is_found_by_the_old_name_and_the_old_contacts_until_they_are_erased() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, _, _) = joined(&advisor);
    for (what, text) in EARLIER {
        assert_eq!(found(&advisor, json!({ what: text })), [id(&into)], "{text}");
    }
    assert_eq!(found(&advisor, json!({ "phone": "01514960123", "postcode": "PR8 1DJ" })), [id(&into)]);
    assert_eq!(found(&advisor, json!({ "phone": "01514960456", "postcode": "L1 1AA" })), [""; 0]);
    // Whoever registers them once more is told of them.
    let again = json!({ "given_name": "Maggie", "family_name": "Reid", "email": "z@example.org", "phone": "0151 496 0456",
        "roles": ["service_user"] });
    let problem = advisor.post("/v1/members", &again).problem(409, "possible-duplicate");
    assert_eq!(problem["candidates"][0]["id"], into["id"]);
    let because = problem["candidates"][0]["because"].as_array().unwrap();
    assert!(because.contains(&json!("email")) && because.contains(&json!("phone")), "{because:?}");
    // The answer shows what the record says now.
    let shown = advisor.post("/v1/members/search", &json!({ "email": "z@example.org" })).expect(200);
    assert_eq!(shown["items"][0]["email_hint"], "p…@example.org");
    execute(&app.admin(), &asked(&advisor, id(&into)), true).expect(200);
    for (what, text) in EARLIER {
        assert_eq!(found(&advisor, json!({ what: text })), [""; 0], "{text}");
    }
    advisor.post("/v1/members", &again).expect(201);
}

#[test]
fn a_merge_that_is_undone_leaves_each_record_what_it_was_found_by() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from, merged) = joined(&advisor);
    let third = person(&advisor, "Meg", json!({ "email": "meg@example.org" }));
    undo(&advisor, &merged).expect(200);
    for (what, text) in EARLIER {
        assert_eq!(found(&advisor, json!({ what: text })), [id(&from)], "{text}");
    }
    assert_eq!(advisor.get(&path(&into)).expect(200)["former_names"], json!([]));
    // One after the other: the first old record leads to the last one.
    merge(&advisor, &into, &from).expect(200);
    merge(&advisor, &third, &into).expect(200);
    for (what, text) in EARLIER.into_iter().chain([("email", "peg@example.org"), ("phone", "01514960123")]) {
        assert_eq!(found(&advisor, json!({ what: text })), [id(&third)], "{text}");
    }
}
