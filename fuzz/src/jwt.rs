//! Access tokens. The first line of the input says what it is:
//!
//! - `raw`: the rest is a token.
//! - `header`, `claims`, `signature`: the rest takes the place of this part of a valid token.
//! - `edit`: the second line is a place in a valid token, and the rest is written over what stands there.
//! - `foreign`: the second line is a header and the rest are claims, signed with somebody else's key.
//! - `own`: the same, signed with the server's key.
//!
//! `$KID` in a header stands for the id of the server's key. No token is accepted but the valid one, and those that the
//! server's key signed and whose header and claims are right.

use std::fs;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use life_rooms::auth::caller::{CallerKind, Role};
use life_rooms::auth::signing_keys::Ring;
use life_rooms::auth::token::{AUDIENCE, Claims, SKEW, Tokens};
use life_rooms::db::{Id, Timestamp};
use serde_json::Value;

const ISSUER: &str = "https://life-rooms.invalid";
/// 2027-01-15.
const NOW: i64 = 1_800_000_000;

struct Server {
    tokens: Tokens,
    kid: String,
    key: EncodingKey,
    foreign: EncodingKey,
    /// A valid token.
    valid: String,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("life-rooms-fuzz-{}", std::process::id()));
    let tokens = Tokens::open(&folder.join("own"), ISSUER.into()).expect("a folder of keys");
    let ring = |name: &str| Ring::open(&folder.join(name)).expect("a folder of keys");
    let (own, foreign) = (ring("own"), ring("foreign"));
    let key = |ring: &Ring| ring.signing(now()).expect("a key").encoding.clone();
    let id = Id(uuid::Uuid::from_u128(7));
    let claims = Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: id,
        iat: NOW,
        nbf: NOW,
        exp: NOW + 900,
        jti: id,
        kind: CallerKind::User,
        role: Role::Admin,
        generation: 1,
        partner_id: None,
        member_id: None,
        sid: Some(id),
        scope: None,
    };
    let valid = tokens.sign(&claims).expect("a token");
    tokens.verify(&valid, now()).expect("the token is valid");
    let kid = own.signing(now()).expect("a key").id.clone();
    let server = Server { tokens, kid, key: key(&own), foreign: key(&foreign), valid };
    // The keys are in memory now, and at a time that stands still nobody looks at their folder again.
    let _ = fs::remove_dir_all(&folder);
    server
});

fn now() -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp(NOW, 0).unwrap_or_default())
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (kind, rest) = text.split_once('\n').unwrap_or((text, ""));
    let server = &*SERVER;
    let part = |index: usize, replaced: String| {
        let mut parts: Vec<&str> = server.valid.split('.').collect();
        parts[index] = &replaced;
        parts.join(".")
    };
    let token = match kind {
        "raw" => rest.to_owned(),
        "header" => part(0, encoded(&with_kid(rest))),
        "claims" => part(1, encoded(rest)),
        "signature" => part(2, rest.to_owned()),
        "edit" => edited(rest),
        "foreign" => signed(rest, &server.foreign),
        "own" => return check_own(rest),
        _ => return,
    };
    if token != server.valid {
        assert!(server.tokens.verify(&token, now()).is_err(), "{token}");
    }
}

fn with_kid(header: &str) -> String {
    header.replace("$KID", &SERVER.kid)
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The valid token with other text at one place.
fn edited(rest: &str) -> String {
    let (place, text) = rest.split_once('\n').unwrap_or_default();
    let place = place.parse::<usize>().unwrap_or_default() % SERVER.valid.len();
    let end = SERVER.valid.len().min(place + text.len());
    format!("{}{text}{}", &SERVER.valid[..place], &SERVER.valid[end..])
}

fn signed(rest: &str, key: &EncodingKey) -> String {
    let (header, claims) = rest.split_once('\n').unwrap_or((rest, ""));
    let message = format!("{}.{}", encoded(&with_kid(header)), encoded(claims));
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).expect("a signature");
    format!("{message}.{signature}")
}

fn check_own(rest: &str) {
    let Ok(accepted) = SERVER.tokens.verify(&signed(rest, &SERVER.key), now()) else { return };
    let (header, claims) = rest.split_once('\n').unwrap_or((rest, ""));
    let header: Value = serde_json::from_str(&with_kid(header)).expect("an accepted header is JSON");
    let claims: Value = serde_json::from_str(claims).expect("accepted claims are JSON");
    assert_eq!((&header["alg"], &header["typ"]), (&Value::from("EdDSA"), &Value::from("at+jwt")));
    assert_eq!(header["kid"], SERVER.kid.as_str());
    for name in ["crit", "enc", "zip", "jku", "jwk", "x5u", "x5c"] {
        assert!(header.get(name).is_none_or(Value::is_null), "{name} is refused");
    }
    assert_eq!((&claims["iss"], &claims["aud"]), (&Value::from(ISSUER), &Value::from(AUDIENCE)));
    assert!(accepted.exp > NOW && accepted.nbf <= NOW + SKEW);
    assert_eq!((claims["exp"].as_i64(), claims["nbf"].as_i64()), (Some(accepted.exp), Some(accepted.nbf)));
}
