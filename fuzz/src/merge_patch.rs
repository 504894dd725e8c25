//! Merge patches of a session and of a series. The input is the body of a PATCH.
//!
//! - A member that the patch doesn't name stays. A member that it sets to null is as if it had never been stated, and
//!   only an optional one can be.
//! - The same patch again changes nothing.

use std::fmt::Debug;
use std::sync::LazyLock;

use life_rooms::http::body::checked;
use life_rooms::http::patch::MergePatch;
use life_rooms::http::shape::{self, Shape};
use life_rooms::sessions::series::types::SeriesChange;
use life_rooms::sessions::types::SessionChange;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A resource with every member, and with the required ones only.
struct Resources<T> {
    full: T,
    bare: T,
}

static SESSION: LazyLock<Resources<SessionChange>> = LazyLock::new(|| resources(json!({}), json!({})));

static SERIES: LazyLock<Resources<SeriesChange>> = LazyLock::new(|| {
    let times = json!({ "excluded": ["2027-03-30T13:00:00"], "additional": ["2027-03-31T13:00:00"] });
    resources(times, json!({ "pillar": "community", "recurrence": "FREQ=WEEKLY;COUNT=52" }))
});

fn resources<T: DeserializeOwned + ToSchema + Validate + 'static>(optional: Value, required: Value) -> Resources<T> {
    let id = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41";
    let mut bare = json!({
        "title": "Shared Reading", "delivery": "online", "local_start": "2027-01-05T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 90,
    });
    extend(&mut bare, required);
    let mut full = bare.clone();
    extend(&mut full, optional);
    extend(
        &mut full,
        json!({
            "description": "We read aloud.", "topics": ["reading"], "facilitator": "The Reader",
            "accessibility": ["step_free"], "programme_id": id, "delivery": "hybrid", "venue_id": id, "space_id": id,
            "join_link": "https://meet.example.org/j/123", "capacity": 12, "online_capacity": 20,
            "booking_policy": "drop_in", "publication": "draft", "status": "cancelled",
            "cancellation_reason": "The library is closed.", "reason": "We meet online.",
        }),
    );
    let of = |body: Value| checked(body).expect("the resources are right");
    Resources { full: of(full), bare: of(bare) }
}

fn extend(whole: &mut Value, members: Value) {
    if let (Value::Object(whole), Value::Object(members)) = (whole, members) {
        whole.extend(members);
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    patch(&SESSION, data);
    patch(&SERIES, data);
}

fn patch<T>(resources: &Resources<T>, data: &[u8])
where
    T: Serialize + DeserializeOwned + ToSchema + Validate + PartialEq + Debug + 'static,
{
    let Ok(patch) = MergePatch::<T>::parse(data) else { return };
    let sent: Map<String, Value> = serde_json::from_slice(data).expect("a patch is an object");
    let plain = body(&resources.bare);
    for current in [&resources.full, &resources.bare] {
        let Ok(after) = patch.apply(current) else { continue };
        let (before, now) = (body(current), body(&after));
        for (name, old) in &before {
            match sent.get(name) {
                None => assert_eq!(&now[name], old, "{name} wasn't named"),
                Some(Value::Null) => {
                    assert!(!is_required::<T>(name), "{name} was cleared");
                    assert_eq!(now[name], plain[name], "{name} was cleared");
                }
                Some(_) => {}
            }
        }
        assert!(sent.keys().all(|name| before.contains_key(name)), "every member is known");
        assert_eq!(patch.apply(&after).expect("the same patch fits again"), after);
    }
}

fn body<T: Serialize>(resource: &T) -> Map<String, Value> {
    match serde_json::to_value(resource) {
        Ok(Value::Object(members)) => members,
        other => panic!("a resource is an object, not {other:?}"),
    }
}

fn is_required<T: ToSchema + 'static>(name: &str) -> bool {
    matches!(&*shape::of::<T>(), Shape::Object { required, .. } if required.iter().any(|known| known == name))
}
