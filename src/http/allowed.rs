//! Finds the caller of a request and checks the operation's policy.

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{HttpMessage, HttpRequest};

use super::context::{Context, authorization, state};
use super::extract::{Extractor, Path};
use crate::auth::caller::Caller;
use crate::auth::policy::Policy;
use crate::auth::reach::Reach;
use crate::auth::store;
use crate::db::Id;
use crate::error::{Error, Kind, Result};

/// The context of a request whose caller satisfies a policy.
pub struct Allowed<P>(Context, PhantomData<P>);

impl<P> Deref for Allowed<P> {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl<P> Allowed<P> {
    /// The context, to be moved into a transaction.
    pub fn context(&self) -> Context {
        self.0.clone()
    }
}

impl<P: Policy> Extractor for Allowed<P> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let caller = identify(request).await?;
        // Whether the caller may ask comes before what is wrong with the other headers.
        P::check(caller.as_ref())?;
        let context = Context::new(request, caller)?;
        // For the extractors that come after this one.
        request.extensions_mut().insert(context.clone());
        Ok(Self(context, PhantomData))
    }
}

/// The caller of a request, in an extractor that comes after [`Allowed`].
///
/// # Errors
/// 401 if the request has no credentials.
pub fn caller_of(request: &HttpRequest) -> Result<Caller> {
    let context = request.extensions().get::<Context>().cloned();
    context.ok_or_else(|| Error::internal("nobody has asked who calls"))?.caller().cloned()
}

/// The id of the partner in the path, whose things the caller reaches. It is read before the body.
pub struct OwnPartner(pub Id);

impl Extractor for OwnPartner {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let Path(id) = Path::<Id>::extract(request, payload).await?;
        // To another partner there is no such partner.
        if Reach::of(&caller_of(request)?)?.has_partner(Some(id)) {
            Ok(Self(id))
        } else {
            Err(Error::not_found("partner"))
        }
    }
}

/// The caller of a request; none if the request has no credentials.
///
/// # Errors
/// 401 for bad credentials, 403 if the caller's partner isn't active.
async fn identify(request: &HttpRequest) -> Result<Option<Caller>> {
    let Some(header) = authorization(request)? else { return Ok(None) };
    let state = state(request)?;
    let bad = || Error::invalid_token("The access token is wrong or has ended. Get a new one.");
    let text = header.to_str().map_err(|_| bad())?;
    // Another scheme means that no token was sent. The challenge then names no error (RFC 6750, section 3.1).
    let token = strip_scheme(text, "bearer")
        .ok_or_else(|| Error::unauthenticated("This needs an access token: Authorization: Bearer …"))?;
    let claims = state.tokens.verify(token, state.clock.now()).map_err(|e| bad().because(e))?;
    let standing = state.db.read_one(move |conn| store::standing(conn, &claims)).await?;
    match standing {
        store::Standing::Good(caller) => Ok(Some(caller)),
        store::Standing::Gone => Err(bad()),
        store::Standing::PartnerNotActive => {
            Err(Error::new(Kind::Forbidden, "The partner isn't active at the moment. Ask the service's admin."))
        }
    }
}

/// The credentials after the scheme. Upper and lower case of the scheme don't matter (RFC 9110).
pub fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, credentials) = header.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}
