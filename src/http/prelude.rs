//! The names that handlers have in common: `use crate::http::prelude::*;`.

pub use actix_web::web::Bytes;
pub use actix_web::{HttpResponse, delete, get, patch, post, put};

pub use super::allowed::Allowed;
pub use super::answers::{BadInput, Conflict, Gone, MayBeStale, Missing, Problems, Refused, Stale, Storage, TooMany};
pub use super::conditional::Tag;
pub use super::context::{Context, Open};
pub use super::extract::{Extract, JsonBody, NoQuery, OptionalJson, Path, Query};
pub use super::page::{Page, Paging, Slice};
pub use super::reply::{Cache, Reply};
pub use crate::audit::{Event, Subject};
pub use crate::db::{Conn, Id};
pub use crate::error::{Error, Kind, Result};
