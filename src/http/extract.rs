//! The extractors of a handler, taken strictly in order.
//!
//! actix polls a handler's extractors side by side and answers with whichever fails first. The contract has an
//! order (401, 403, 413, 415, 400, 422), so handlers take one [`Extract`] tuple: who, path, query, body.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::db::Id;
use crate::error::{Error, Result};

pub use super::body::{Form, JsonBody, OptionalJson, RawBody};
pub use super::patch::MergePatch;
pub use super::prefer::Prefer;
pub use super::query::{NoQuery, Query};

type Later<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// Something that can be taken from a request.
pub trait Extractor: Sized {
    /// What the headers alone show to be wrong (413, 415): looked at once the caller is known, before the rest.
    fn glance(_: &HttpRequest) -> Result<()> {
        Ok(())
    }

    /// Takes it, or says what is wrong.
    fn extract(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Self>>;
}

/// Extractors that run one after the other, the first failure ending it.
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
                    Ok(Extract((first, $($part::extract(&request, &mut payload).await?,)*)))
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

/// The values of the path's parameters.
pub struct Path<T>(pub T);

/// What a path's parameters can be read into.
pub trait PathValues: Sized {
    /// Reads the values, in the order of the path.
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
