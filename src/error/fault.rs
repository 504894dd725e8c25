//! One thing wrong with a request.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The place in the body, as a JSON pointer (RFC 6901).
    #[serde(default)]
    #[schema(example = "/title")]
    pub pointer: Option<String>,
    /// The name of the path parameter, query parameter or header.
    #[serde(default)]
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// A stable name of the fault, for programs. `unknown_field` means a property of the body that isn't known here;
    /// `unknown_member` means a person who doesn't exist.
    #[schema(example = "too_long")]
    pub code: Cow<'static, str>,
    /// A sentence for people: what is wrong and what to do.
    #[schema(example = "Must be at most 200 characters.")]
    pub detail: Cow<'static, str>,
}

impl Fault {
    /// A fault in the body.
    pub fn at(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), detail: detail.into() }
    }

    /// A fault in a path or query parameter, or a header.
    pub fn in_parameter(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: None, parameter: Some(name.into()), code: code.into(), detail: detail.into() }
    }
}
