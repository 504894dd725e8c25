//! What operations on a member's record answer if the record was merged into another, or erased.

use serde_json::{Value, json};

use super::access::takes_a_key;
use super::parameters::shows_people;
use crate::error::Kind;
use crate::http::answers::shared;

/// The paths of everything that belongs to one member.
const OF_A_MEMBER: &str = "/v1/members/{id}";

/// Reads elsewhere whose query can name a member.
const NAMES_A_MEMBER: [&str; 1] = ["/v1/prescriptions"];

/// The paths of merges. The record of a merge can have been erased since.
const OF_MERGES: &str = "/v1/merges";

/// Whether an operation is on one member's record.
fn is_of_a_member(path: &str) -> bool {
    path.strip_prefix(OF_A_MEMBER).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a repeated request can be told that the person was erased since whose data its first answer held.
fn is_repeated_for_people(path: &str, method: &str, operation: &Value) -> bool {
    takes_a_key(method, operation) && (shows_people(operation) || path.ends_with("/rosters"))
}

/// Adds the answers of an operation. `method` is in lower case.
pub(super) fn complete(path: &str, method: &str, operation: &mut Value) {
    let of_a_member = is_of_a_member(path);
    let names_one = method == "get" && NAMES_A_MEMBER.contains(&path);
    if names_one || (method == "get" && of_a_member) {
        let text = "The record was merged into another: the same is at `Location`, under the other record's id";
        operation["responses"]["307"] = json!({ "description": text });
    }
    let can_be_gone = of_a_member || names_one || path.starts_with(OF_MERGES);
    let can_be_gone = can_be_gone || is_repeated_for_people(path, method, operation);
    if let Some(gone) = shared("410").filter(|_| can_be_gone) {
        operation["responses"]["410"] = json!({ "$ref": gone });
    }
}

/// The conflict of a change to a record that was merged.
pub(super) fn conflicts(path: &str, method: &str) -> &'static [Kind] {
    if method != "get" && is_of_a_member(path) { &[Kind::Merged] } else { &[] }
}
