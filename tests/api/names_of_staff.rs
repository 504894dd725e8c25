//! Who wrote something about a member, as the member reads it.

use serde_json::{Value, json};

use crate::support::{App, id, member_row};

#[test]
fn a_member_reads_the_display_name_of_who_wrote_something_and_no_account_but_their_own() {
    let app = App::start();
    let (advisor, admin) = (app.advisor(), app.admin());
    let account = format!("/v1/users/{}", advisor.id.unwrap());
    admin.patch(&account, "\"1\"", &json!({ "display_name": "Dana P." })).expect(200);
    let (ann, cara) = (member_row(&app, "Ann", "A"), member_row(&app, "Cara", "C"));
    let own = app.member(&ann);
    let consents = format!("/v1/members/{ann}/consents");
    let told = json!({ "purpose": "research", "decision": "given", "evidence": "By phone", "told_by": advisor.id });
    let consent = advisor.post(&consents, &told).expect(201);
    let cares = json!({ "from_member": cara, "to_member": ann, "kind": "carer_of" });
    let relationships = format!("/v1/members/{ann}/relationships");
    let relationship = advisor.post(&relationships, &cares).expect(201);
    let draft = json!({ "member_id": ann, "origin": "advisor", "needs": [{ "domain": "debt" }], "items": [] });
    let draft = advisor.post("/v1/prescriptions", &draft).expect(201);
    let at = |list: &str, thing: &Value| format!("{list}/{}", id(thing));
    for (list, one, account, name) in [
        (consents.as_str(), at(&consents, &consent), "recorded_by", "recorded_by_name"),
        (consents.as_str(), at(&consents, &consent), "told_by", "told_by_name"),
        (relationships.as_str(), at(&relationships, &relationship), "created_by", "created_by_name"),
        ("/v1/prescriptions", at("/v1/prescriptions", &draft), "advisor_id", "advisor_name"),
    ] {
        for (client, shown) in [(&own, Value::Null), (&advisor, json!(advisor.id.unwrap()))] {
            for seen in [client.get(&one).expect(200), client.get(list).expect(200)["items"][0].clone()] {
                assert_eq!((&seen[account], &seen[name]), (&shown, &json!("Dana P.")), "{list}");
            }
        }
    }
    let texts = [&consents, &relationships, "/v1/prescriptions"].map(|list| own.get(list).text);
    let id = advisor.id.unwrap().to_string();
    assert!(texts.iter().all(|text| !text.contains(&id)), "{texts:?}");
    let tag = own.get(&at("/v1/prescriptions", &draft)).etag().to_owned();
    let changed = own.patch(&at("/v1/prescriptions", &draft), &tag, &json!({ "what_matters": "Peace" })).expect(200);
    assert_eq!((&changed["advisor_id"], &changed["advisor_name"]), (&Value::Null, &json!("Dana P.")));
    let own_words = own.post(&consents, &json!({ "purpose": "contact_email", "decision": "given" })).expect(201);
    assert_eq!((&own_words["recorded_by"], &own_words["recorded_by_name"]), (&json!(own.id.unwrap()), &Value::Null));
}
