//! The ways in which callers authenticate.

use strum::IntoEnumIterator;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};

use crate::auth::caller::Scope;

/// Adds the three ways to authenticate.
pub(super) fn add_schemes(document: &mut Document) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "An access token of an account, from /v1/auth/login. It is signed with EdDSA and verified as RFC8725 asks.",
        ))
        .build();
    let scopes = Scopes::from_iter(Scope::iter().map(|scope| (scope.name().to_owned(), scope.about().to_owned())));
    let flow = Flow::ClientCredentials(ClientCredentials::new("/v1/oauth/token", scopes));
    let mut client = OAuth2::new([flow]);
    client.description = Some("An access token of a partner's API client, from /v1/oauth/token. It is signed with EdDSA and verified as RFC8725 \
         asks.".into());
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some("The id and the secret of an API client.".into());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("client", SecurityScheme::OAuth2(client));
    components.add_security_scheme("client_basic", SecurityScheme::Http(basic));
}
