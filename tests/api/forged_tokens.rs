//! Tokens that this service did not make, or made for something else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use life_rooms::auth::caller::{CallerKind, Role};
use life_rooms::auth::token::Claims;
use serde_json::{Value, json};

use crate::support::App;

/// What goes into forged tokens: the server's own key, and the claims of a real account.
struct Forge {
    key: EncodingKey,
    header: Header,
    claims: Claims,
}

impl Forge {
    fn of(app: &App) -> Self {
        let der = std::fs::read(app.key_dir().join("0001.der")).expect("the key");
        let jwks = app.anonymous().get("/.well-known/jwks.json").expect(200);
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = jwks["keys"][0]["kid"].as_str().map(str::to_owned);
        let admin = app.admin();
        let claims = app.claims(admin.id.unwrap(), CallerKind::User, Role::Admin);
        Self { key: EncodingKey::from_ed_der(&der), header, claims }
    }

    fn with_claims(&self, change: impl Fn(&mut Claims)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        jsonwebtoken::encode(&self.header, &claims, &self.key).expect("a token")
    }

    fn with_header(&self, change: impl Fn(&mut Header)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        jsonwebtoken::encode(&header, &self.claims, &self.key).expect("a token")
    }

    /// A token of any header and signature.
    fn raw(&self, header: &Value, signature: &str) -> String {
        let claims = serde_json::to_vec(&self.claims).unwrap();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{}.{signature}", encode(header.to_string().as_bytes()), encode(&claims))
    }
}

#[test]
fn what_the_forge_makes_is_valid_unless_something_is_wrong_with_it() {
    let app = App::start();
    let forge = Forge::of(&app);
    let good = app.with_token(&forge.with_claims(|_| {}));
    assert_eq!(good.get("/v1/me").expect(200)["role"], "admin");
}

#[test]
fn a_token_with_wrong_claims_is_401() {
    let app = App::start();
    let forge = Forge::of(&app);
    let now = app.clock.now().0.timestamp();
    let tokens = [
        ("issuer", forge.with_claims(|claims| claims.iss = "https://elsewhere.example.org".into())),
        ("audience", forge.with_claims(|claims| claims.aud = "other".into())),
        ("expired", forge.with_claims(|claims| claims.exp = now - 1)),
        ("not yet", forge.with_claims(|claims| claims.nbf = now + 60)),
        ("generation", forge.with_claims(|claims| claims.generation = 2)),
        ("role", forge.with_claims(|claims| claims.role = Role::Advisor)),
        ("kind", forge.with_claims(|claims| claims.kind = CallerKind::Client)),
        ("nobody", forge.with_claims(|claims| claims.sub = app.clock.new_id())),
    ];
    for (what, token) in tokens {
        refused(&app, what, &token);
    }
}

#[test]
fn a_token_with_a_wrong_header_is_401() {
    let app = App::start();
    let forge = Forge::of(&app);
    let wrong_typ = |typ: Option<&str>| forge.with_header(|header| header.typ = typ.map(str::to_owned));
    let wrong_kid = |kid: Option<&str>| forge.with_header(|header| header.kid = kid.map(str::to_owned));
    let tokens = [
        ("type", wrong_typ(Some("JWT"))),
        ("no type", wrong_typ(None)),
        ("kid", wrong_kid(Some("unknown"))),
        ("no kid", wrong_kid(None)),
        ("path", wrong_kid(Some("../../../../etc/passwd"))),
        ("file", wrong_kid(Some("0001.der"))),
        ("crit", forge.with_header(|header| header.crit = Some(vec!["b64".into()]))),
        ("critical nothing", forge.with_header(|header| header.crit = Some(Vec::new()))),
        ("jku", forge.with_header(|header| header.jku = Some("https://evil.example.org/jwks.json".into()))),
    ];
    for (what, token) in tokens {
        refused(&app, what, &token);
    }
}

/// Every point of RFC 8725 that a token can break although the service's own key signed it.
#[test]
fn a_token_that_the_right_key_signed_is_401_if_it_is_not_of_the_one_form_that_the_service_makes() {
    let app = App::start();
    let forge = Forge::of(&app);
    let jwks = app.anonymous().get("/.well-known/jwks.json").expect(200);
    let own_key = json!({ "kty": "OKP", "crv": "Ed25519", "x": jwks["keys"][0]["x"], "alg": "EdDSA" });
    let url = "https://evil.example.org/jwks.json";
    let with_header = |change: &dyn Fn(&mut Header)| forge.with_header(change);
    let with_claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = serde_json::to_value(&forge.claims).unwrap();
        change(&mut claims);
        jsonwebtoken::encode(&forge.header, &claims, &forge.key).expect("a token")
    };
    let set = |name: &'static str, value: Value| with_claims(&move |claims| claims[name] = value.clone());
    let without = |name: &'static str| {
        with_claims(&move |claims| {
            claims.as_object_mut().unwrap().remove(name);
        })
    };
    let (issuer, other) = (forge.claims.iss.clone(), app.advisor().id.unwrap());
    let tokens = [
        ("3.9 and 3.10: a key by address", with_header(&|header| header.x5u = Some(url.into()))),
        ("3.9: the key itself", with_header(&|header| header.jwk = serde_json::from_value(own_key.clone()).ok())),
        ("3.9: a chain", with_header(&|header| header.x5c = Some(vec!["MIIB".into()]))),
        ("3.11: an ID token", with_header(&|header| header.typ = Some("id_token+jwt".into()))),
        ("3.11: a security event", with_header(&|header| header.typ = Some("secevent+jwt".into()))),
        ("3.11: an empty type", with_header(&|header| header.typ = Some(String::new()))),
        ("3.8: two issuers", set("iss", json!([issuer, "https://elsewhere.example.org"]))),
        ("3.8: an issuer with a slash", set("iss", json!(format!("{issuer}/")))),
        ("3.8: no issuer", without("iss")),
        ("3.9: two audiences", set("aud", json!(["life-rooms", "another"]))),
        ("3.9: no audience", without("aud")),
        ("no end", without("exp")),
        ("an end in words", set("exp", json!("tomorrow"))),
        ("no subject", without("sub")),
        ("a subject that is no account", set("sub", json!("admin"))),
        ("no role", without("role")),
        ("an unknown role", set("role", json!("root"))),
        ("no kind", without("kind")),
        ("no login", without("sid")),
        ("an unknown login", set("sid", json!(app.clock.new_id()))),
        ("another account's login", set("sid", json!(other))),
    ];
    for (what, token) in tokens {
        refused(&app, what, &token);
    }
    let unchanged = with_claims(&|_| {});
    app.with_token(&unchanged).get("/v1/me").expect(200);
    // What nobody looks at does no harm: a certificate's digest names no key here.
    let harmless = with_header(&|header| header.x5t = Some("AAAA".into()));
    app.with_token(&harmless).get("/v1/me").expect(200);
}

#[test]
fn a_token_signed_with_something_else_is_401() {
    let app = App::start();
    let forge = Forge::of(&app);
    let jwks = app.anonymous().get("/.well-known/jwks.json").expect(200);
    let public = URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    let kid = forge.header.kid.clone();
    let mut symmetric = Header::new(Algorithm::HS256);
    (symmetric.typ, symmetric.kid) = (Some("at+jwt".into()), kid.clone());
    let hs256 = jsonwebtoken::encode(&symmetric, &forge.claims, &EncodingKey::from_secret(&public)).unwrap();
    let foreign =
        Forge { key: Forge::of(&App::start()).key, header: forge.header.clone(), claims: forge.claims.clone() };
    let good = forge.with_claims(|_| {});
    let signature = good.rsplit('.').next().unwrap();
    let none = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
    let tokens = [
        ("hs256", hs256),
        ("another key", foreign.with_claims(|_| {})),
        ("jku", foreign.with_header(|header| header.jku = Some("https://evil.example.org/jwks.json".into()))),
        ("none", forge.raw(&none("none"), "")),
        ("None", forge.raw(&none("None"), "")),
        ("none signed", forge.raw(&none("none"), signature)),
        ("unknown algorithm", forge.raw(&none("XX999"), signature)),
        ("unsigned", forge.raw(&none("EdDSA"), "")),
        ("signature of another", forge.raw(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid, "x": 1 }), signature)),
        ("truncated", good[..good.len() - 8].to_owned()),
        ("without signature", good.rsplit_once('.').unwrap().0.to_owned()),
        ("longer", format!("{good}AAAA")),
    ];
    for (what, token) in tokens {
        refused(&app, what, &token);
    }
}

/// 401 with a problem, on operations that need a token and on public ones.
#[track_caller]
fn refused(app: &App, what: &str, token: &str) {
    for path in ["/v1/me", "/v1/venues", "/v1/partners"] {
        let answer = app.with_token(token).get(path);
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{what}");
        answer.problem(401, "unauthenticated");
    }
}

#[test]
fn what_is_no_token_is_401_on_public_operations_too() {
    let app = App::start();
    let long = format!("Bearer {}", "a".repeat(5000));
    let headers = [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer ..",
        "Bearer a.b.c",
        "Bearer a b",
        "Basic eDp5",
        "Token x",
        "x",
        "",
        &long,
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ];
    for header in headers {
        for path in ["/v1/me", "/v1/venues"] {
            let answer = app.anonymous().send("GET", path, &[("authorization", header)], b"");
            assert_eq!(answer.status, 401, "{header:?}: {}", answer.text);
            answer.problem(401, "unauthenticated");
        }
    }
}
