//! Redirects: a read that names a record which was merged into another leads to the other.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION, VARY};
use percent_encoding::percent_decode_str;

use crate::db::Id;

/// 307 to the same path and query with the id `into` in place of `old`. It isn't 308, because a merge can be undone.
/// `None` if the request doesn't name `old`.
pub fn to_other_id(target: &str, (old, into): (Id, Id)) -> Option<HttpResponse> {
    let location = with_other_id(target, old, into);
    if location == target {
        return None;
    }
    let mut response = HttpResponse::build(StatusCode::TEMPORARY_REDIRECT);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((VARY, "Authorization"));
    Some(response.insert_header((LOCATION, location)).finish())
}

/// A path and query with the id `into` in place of `old`, as a part of the path or a value of the query.
fn with_other_id(target: &str, old: Id, into: Id) -> String {
    let is_old = |text: &str| percent_decode_str(text).decode_utf8().is_ok_and(|text| text.parse() == Ok(old));
    let replaced = |text: &str| if is_old(text) { into.to_string() } else { text.to_owned() };
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = path.split('/').map(replaced).collect::<Vec<_>>().join("/");
    let Some(query) = query else { return path };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", replaced(value)),
        None => pair.to_owned(),
    };
    format!("{path}?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn the_other_id_stands_where_the_old_one_stood() {
        let clock = Clock::system();
        let (old, into, third) = (clock.new_id(), clock.new_id(), clock.new_id());
        let upper = old.to_string().to_uppercase();
        let coded = format!("%{:x}{}", old.to_string().as_bytes()[0], &old.to_string()[1..]);
        for (target, other) in [
            (format!("/v1/members/{old}"), format!("/v1/members/{into}")),
            (format!("/v1/members/{upper}/consents?limit=3"), format!("/v1/members/{into}/consents?limit=3")),
            (format!("/v1/members/{coded}"), format!("/v1/members/{into}")),
            (format!("/v1/members/{third}/x/{old}?a&b="), format!("/v1/members/{third}/x/{into}?a&b=")),
            (format!("/v1/things?a={third}&member_id={old}"), format!("/v1/things?a={third}&member_id={into}")),
        ] {
            assert_eq!(with_other_id(&target, old, into), other);
            let response = to_other_id(&target, (old, into)).unwrap();
            assert_eq!(response.headers().get("location").unwrap(), other.as_str());
        }
        assert!(to_other_id(&format!("/v1/members/{third}"), (old, into)).is_none());
    }
}
