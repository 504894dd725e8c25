//! The problems that operations share, as types for their lists of `responses`.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{Ref, RefOr, Response};

use super::problems;

fn shared(statuses: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let answers = statuses.iter().filter_map(|status| Some((*status, problems::shared(status)?)));
    answers.map(|(status, path)| (status.to_owned(), RefOr::Ref(Ref::new(path)))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident = $statuses:expr;)+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                shared(&$statuses)
            }
        }
    )+ };
}

answers! {
    /// What every operation can answer.
    Problems = ["400", "406", "500", "503", "default"];
    /// Operations that take a body.
    BadInput = ["408", "413", "415", "422"];
    /// Operations on something that may not exist.
    Missing = ["404"];
    /// Operations that the present state may not allow.
    Conflict = ["409"];
    /// Changes: If-Match is required.
    Stale = ["412", "428"];
    /// Deletions and actions: If-Match is checked where it is sent.
    MayBeStale = ["412"];
    /// Writes to a disk that may be full.
    Storage = ["507"];
}
