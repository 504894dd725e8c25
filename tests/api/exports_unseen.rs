//! What a member sees of an export that an advisor asked for: the same whether or not it was reviewed.

use serde_json::{Value, json};

use crate::exports::{ask, document, make_documents, own_account, place};
use crate::support::{App, Client, member_row};

fn ask_for(client: &Client, member: &str) -> String {
    let body = json!({ "received_on": "2026-11-20", "how": "By letter" });
    place(&client.post(&format!("/v1/members/{member}/export"), &body))
}

/// What a member sees of an export, without what is another for every export.
fn seen(own: &Client, at: &str) -> Value {
    let answer = own.get(at).expect(200);
    let mut seen = answer;
    for name in ["id", "member_id", "bytes", "sha256", "created_at", "updated_at", "ready_at", "expires_at"] {
        seen[name] = Value::Null;
    }
    seen
}

#[test]
fn a_member_sees_the_same_of_an_export_whether_or_not_it_was_reviewed() {
    let app = App::start();
    let (advisor, lead) = (app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding"));
    let (ann, bob) = (member_row(&app, "Ann", "Own"), member_row(&app, "Bob", "Own"));
    let (anns, bobs) = (own_account(&app, &ann), own_account(&app, &bob));
    let flag = json!({ "category": "neglect", "summary": "Alone at night.", "review_on": "2026-12-07" });
    lead.post(&format!("/v1/members/{ann}/safeguarding"), &flag).expect(201);
    let (reviewed, plain) = (ask_for(&advisor, &ann), ask_for(&advisor, &bob));
    let longer = json!({ "extended": true, "reason": "Three services hold notes." });
    for at in [&reviewed, &plain] {
        let tag = advisor.get(at).etag().to_owned();
        advisor.patch(at, &tag, &longer).expect(200);
    }
    make_documents(&app);
    // While one is in review, a document of her own doesn't tell of it either.
    let own = place(&ask(&anns, &ann));
    make_documents(&app);
    let asked = document(&anns, &own, "*/*").expect(200)["exports"]["items"].clone();
    let kinds: Vec<&str> = asked.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["own"]);
    document(&lead, &reviewed, "*/*").expect(200);
    document(&lead, &reviewed, "text/html");
    app.at("2026-11-24T09:00:00Z");
    for at in [&reviewed, &plain] {
        lead.post(&format!("{at}/release"), &json!({})).expect(200);
    }
    assert_eq!(seen(&anns, &reviewed), seen(&bobs, &plain));
    let entry = |client: &Client, member: &str, at: &str| {
        let list = client.get(&format!("/v1/members/{member}/exports")).expect(200);
        let items = list["items"].as_array().unwrap().clone();
        let found = items.into_iter().find(|one| at.ends_with(one["id"].as_str().unwrap())).unwrap();
        (found["version"].clone(), found["downloads"].clone(), found["status"].clone())
    };
    assert_eq!(entry(&anns, &ann, &reviewed), entry(&bobs, &bob, &plain));
    assert_eq!(advisor.get(&reviewed).expect(200)["downloads"], 0, "nobody has read what was released");
    for (own, at) in [(&anns, &reviewed), (&bobs, &plain)] {
        document(own, at, "*/*").expect(200);
    }
    assert_eq!(seen(&anns, &reviewed), seen(&bobs, &plain));
    assert_eq!(seen(&anns, &reviewed)["downloads"], 1);
    // Once it can be read, a later document tells that it was asked for.
    let own = place(&ask(&anns, &ann));
    make_documents(&app);
    let asked = document(&anns, &own, "*/*").expect(200)["exports"]["items"].clone();
    assert_eq!(asked.as_array().unwrap().len(), 3, "{asked:#}");
    // Gone after seven days, they look the same too.
    app.at("2026-12-02T09:00:00Z");
    crate::housekeeping::keep_house(&app);
    let gone = [seen(&anns, &reviewed), seen(&bobs, &plain)];
    assert_eq!(gone[0], gone[1]);
    assert_eq!(gone[0]["status"], "expired");
}

#[test]
fn an_advisor_who_does_not_review_cannot_tell_about_whom_there_are_notes() {
    let app = App::start();
    let (advisor, lead) = (app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding"));
    let (ann, bob) = (member_row(&app, "Ann", "Own"), member_row(&app, "Bob", "Own"));
    let flag = json!({ "category": "neglect", "summary": "Alone at night.", "review_on": "2026-12-07" });
    lead.post(&format!("/v1/members/{ann}/safeguarding"), &flag).expect(201);
    let both = [ask_for(&advisor, &ann), ask_for(&advisor, &bob)];
    let look = |at: &String| {
        let mut seen = advisor.get(at).expect(200);
        for name in ["id", "member_id", "created_at", "updated_at"] {
            seen[name] = Value::Null;
        }
        seen
    };
    let listed = |status: &str| -> usize {
        let page = advisor.get(&format!("/v1/exports?status={status}")).expect(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((look(&both[0]), listed("queued")), (look(&both[1]), 2));
    make_documents(&app);
    let waiting = look(&both[0]);
    assert_eq!((&waiting, listed("in_review")), (&look(&both[1]), 2));
    assert_eq!((&waiting["status"], &waiting["bytes"]), (&json!("in_review"), &Value::Null));
    assert!(lead.get(&both[0]).expect(200)["bytes"].is_i64());
    for at in &both {
        document(&advisor, at, "*/*").problem(409, "invalid-state");
    }
    app.at("2026-11-24T09:00:00Z");
    let withheld = json!({ "withheld": ["safeguarding"], "reason": "It would put somebody at risk." });
    let released = lead.post(&format!("{}/release", both[0]), &withheld).expect(200);
    assert_eq!(released["withheld"], withheld["withheld"]);
    lead.post(&format!("{}/release", both[1]), &json!({})).expect(200);
    let mut shown = both.each_ref().map(look);
    for one in &mut shown {
        assert!(one["bytes"].is_i64());
        (one["bytes"], one["sha256"]) = (Value::Null, Value::Null);
    }
    assert_eq!(shown[0], shown[1]);
    let sections = both.each_ref().map(|at| document(&advisor, at, "*/*").expect(200)["safeguarding"].clone());
    assert_eq!(sections, [Value::Null, Value::Null]);
}
