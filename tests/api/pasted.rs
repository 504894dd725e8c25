//! Addresses, numbers and codes as people paste them: what was checked is what is kept, and one thing has one form.

use serde_json::{Value, json};

use crate::support::{App, id};

/// Not addresses, as RFC 5321 says, even after invisible characters and outer blanks are gone.
const NO_ADDRESSES: [&str; 9] = [
    ".a@b.example",
    "a.@b.example",
    "a..b@c.example",
    "a b@c.example",
    "a@b..example",
    "a@",
    "@b.example",
    "ä@b.example",
    "a@b.example, c@d.example",
];

#[test]
fn an_e_mail_address_is_kept_in_the_form_that_was_checked() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    for (sent, kept) in [
        ("x@b.example\u{200b}", "x@b.example"),
        ("\u{a0}Y@B.example\u{a0}\n", "y@b.example"),
        ("z\u{2060}@b\u{ad}.example\u{202c}", "z@b.example"),
        ("v@bücher.example", "v@xn--bcher-kva.example"),
        ("ｗ＠ｂ.example", "w@b.example"),
    ] {
        let body = |email: &str| json!({ "email": email, "role": "analyst", "password": "correct horse battery" });
        let made = admin.post("/v1/users", &body(sent)).expect(201);
        assert_eq!(made["email"], kept, "{sent:?}");
        admin.post("/v1/users", &body(kept)).problem(409, "already-exists");
        for email in [sent, kept] {
            let login = json!({ "email": email, "password": "correct horse battery" });
            app.anonymous().post("/v1/auth/login", &login).expect(200);
        }
        let path = format!("/v1/users/{}", id(&made));
        assert_eq!(admin.patch(&path, "\"1\"", &json!({ "email": sent })).expect(200)["version"], 1, "{sent:?}");
    }
    let kept = "Peg.Reid@b.example";
    for sent in ["Peg.Reid@B.Example\u{200b}", " Peg.Reid@b.example\u{a0}"] {
        let member = json!({ "given_name": "Peg", "roles": ["carer"], "email": sent });
        let member = advisor.post("/v1/members?confirm_not_duplicate=true", &member).expect(201);
        assert_eq!(member["email"], kept, "{sent:?}");
    }
    let partner = |email: &str| json!({ "slug": "p", "name": "P", "kind": "charity", "contact": { "email": email } });
    let made = admin.post("/v1/partners", &partner("Peg.Reid@b.example\u{200b}")).expect(201);
    assert_eq!(made["contact"]["email"], kept);
    for email in NO_ADDRESSES {
        let user = json!({ "email": email, "role": "analyst" });
        let problem = admin.post("/v1/users", &user).invalid(&["/email"]);
        assert_eq!(problem["errors"][0]["code"], "wrong_format", "{email}");
        let member = json!({ "given_name": "Ann", "roles": ["carer"], "email": email });
        advisor.post("/v1/members", &member).invalid(&["/email"]);
        admin.post("/v1/partners", &partner(email)).invalid(&["/contact/email"]);
    }
}

#[test]
fn numbers_and_codes_are_read_without_what_pasting_adds() {
    let app = App::start();
    let advisor = app.advisor();
    let body = json!({
        "given_name": "Ann", "roles": ["carer"], "phone": "（０１５１）\u{3000}４９６－０１２３", "postcode": "Ｌ９ １ａａ",
        "nhs_number": "９４３ ４７６ ５９１９", "gp_practice_code": "n８２001\u{a0}",
        "emergency_contact": { "name": "Sam", "phone": "０１５１ ４９６ ０１２３\u{a0}" }
    });
    let made = advisor.post("/v1/members", &body).expect(201);
    for (name, kept) in [
        ("phone", "+441514960123"),
        ("postcode", "L9 1AA"),
        ("nhs_number", "9434765919"),
        ("gp_practice_code", "N82001"),
    ] {
        assert_eq!(made[name], kept, "{name}");
    }
    assert_eq!(made["emergency_contact"]["phone"], "+441514960123");
    for search in [json!({ "phone": body["phone"] }), json!({ "postcode": body["postcode"] })] {
        let found = advisor.post("/v1/members/search", &search).expect(200);
        assert_eq!(found["items"][0]["id"], made["id"], "{search}");
    }
    let venue = json!({
        "slug": "a", "name": "A", "kind": "library", "local_authority": "Liverpool",
        "address": { "postcode": "\u{200b}Ｌ３\u{a0}８ＥＷ\u{200b}\u{200b}\u{200b}" }
    });
    assert_eq!(app.admin().post("/v1/venues", &venue).expect(201)["address"]["postcode"], "L3 8EW");
}

#[test]
fn a_web_address_has_one_form_whatever_the_case_of_its_scheme_and_host() {
    let app = App::start();
    let admin = app.admin();
    let partner = json!({ "slug": "p", "name": "P", "kind": "charity", "website": "https://a.example/X?y=Z#z" });
    let made = admin.post("/v1/partners", &partner).expect(201);
    let path = format!("/v1/partners/{}", id(&made));
    for website in ["HTTPS://a.example/X?y=Z#z", "https://A.Example:443/X?y=Z#z", "https://a.example/%58?y=Z#z"] {
        let same = admin.patch(&path, "\"1\"", &json!({ "website": website })).expect(200);
        assert_eq!((&same["website"], &same["version"]), (&partner["website"], &json!(1)), "{website}");
    }
    let other = admin.patch(&path, "\"1\"", &json!({ "website": "https://a.example/x" })).expect(200);
    assert_eq!(other["version"], 2);
    let session = json!({
        "title": "Choir", "pillar": "community", "delivery": "online", "local_start": "2026-12-01T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60, "join_link": "https://meet.example.org/J"
    });
    let made = admin.post("/v1/sessions", &session).expect(201);
    let path = format!("/v1/sessions/{}", id(&made));
    let link: Value = json!({ "join_link": "HTTPS://Meet.Example.org/J" });
    assert_eq!(admin.patch(&path, "\"1\"", &link).expect(200)["version"], 1);
}
