//! The extractors of a handler, run strictly in order.
//!
//! The API promises an order of checks: 401, 403, 413, 415, 400, 422. actix runs a handler's extractors concurrently
//! and answers with the failure that comes first. So a handler takes one [`Extract`] tuple: caller, path, query, body.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::db::Id;
use crate::error::{Error, Result};

use super::body::refuse_body;
pub use super::body::{ClickedForm, Form, JsonBody, OptionalJson, RawBody};
pub use super::patch::MergePatch;
pub use super::prefer::Prefer;
pub use super::query::{NoQuery, Query};

type Later<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// Something that is read from a request.
pub trait Extractor: Sized {
    /// Whether it reads the body.
    const READS_BODY: bool = false;

    /// Checks the headers of the body (413, 415). This runs after the caller is known and before the other extractors.
    fn glance(_: &HttpRequest) -> Result<()> {
        Ok(())
    }

    /// Reads it, or returns what is wrong.
    fn extract(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Self>>;
}

/// Extractors that run one after the other. The first failure ends the request.
pub struct Extract<T>(pub T);

macro_rules! ordered {
    ($first:ident $(, $part:ident)*) => {
        impl<$first: Extractor + 'static, $($part: Extractor + 'static),*> FromRequest for Extract<($first, $($part,)*)> {
            type Error = Error;
            type Future = Later<Self>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let (request, mut payload) = (request.clone(), payload.take());
                Box::pin(async move {
                    let first = $first::extract(&request, &mut payload).await?;
                    $($part::glance(&request)?;)*
                    let all = (first, $($part::extract(&request, &mut payload).await?,)*);
                    if !($first::READS_BODY $(|| $part::READS_BODY)*) {
                        refuse_body(&request, &mut payload).await?;
                    }
                    Ok(Extract(all))
                })
            }
        }
    };
}

ordered!(A);
ordered!(A, B);
ordered!(A, B, C);
ordered!(A, B, C, D);
ordered!(A, B, C, D, E);
ordered!(A, B, C, D, E, F);

/// The values of the path's parameters.
pub struct Path<T>(pub T);

/// A type that the parameters of a path can be read into.
pub trait PathValues: Sized {
    /// Reads the values, which come in the order of the path.
    fn read(values: &[(&str, &str)]) -> Result<Self>;
}

impl PathValues for Id {
    fn read(values: &[(&str, &str)]) -> Result<Self> {
        match values {
            [(name, text)] => id(name, text),
            _ => Err(Error::internal("a path of one parameter was expected")),
        }
    }
}

impl PathValues for (Id, Id) {
    fn read(values: &[(&str, &str)]) -> Result<Self> {
        match values {
            [(a, first), (b, second)] => Ok((id(a, first)?, id(b, second)?)),
            _ => Err(Error::internal("a path of two parameters was expected")),
        }
    }
}

impl PathValues for String {
    fn read(values: &[(&str, &str)]) -> Result<Self> {
        match values {
            [(name, text)] if text.contains('\0') => Err(Error::parameter(*name, "nul", "Must not hold NUL.")),
            [(_, text)] => Ok((*text).to_owned()),
            _ => Err(Error::internal("a path of one parameter was expected")),
        }
    }
}

fn id(name: &str, text: &str) -> Result<Id> {
    text.parse().map_err(|_| Error::parameter(name, "wrong_format", "Must be a UUID."))
}

impl<T: PathValues> Extractor for Path<T> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let values: Vec<(&str, &str)> = request.match_info().iter().collect();
        T::read(&values).map(Path)
    }
}
