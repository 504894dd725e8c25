//! The vocabularies of the API: the values of each enum, with what they mean. A front end makes its menus of them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::coding::Coding;
use crate::http::prelude::*;

/// All vocabularies.
#[derive(Debug, Serialize, ToSchema)]
pub struct Vocabularies {
    /// By name.
    pub items: Vec<Vocabulary>,
}

/// The values that a field or parameter can have.
#[derive(Debug, Serialize, ToSchema)]
pub struct Vocabulary {
    /// The name of its schema in the OpenAPI document.
    #[schema(example = "Pillar")]
    pub name: String,
    /// What the values are of.
    #[schema(example = "A pillar of the service.")]
    pub description: String,
    /// The values, in the order of the OpenAPI document.
    pub values: Vec<Term>,
}

/// A value of a vocabulary.
#[derive(Debug, Serialize, ToSchema)]
pub struct Term {
    /// The value, as requests and answers have it.
    #[schema(example = "social_prescribing")]
    pub value: String,
    /// The value as words, for a menu.
    #[schema(example = "Social prescribing")]
    pub label: String,
    /// What the value means, in Markdown. Null if its name says it.
    #[schema(example = "Support that is prescribed.")]
    pub description: Option<String>,
}

/// List vocabularies
///
/// Every enum of the API in one answer, with what its values mean: for menus and for showing a value in words. It is made
/// of the OpenAPI document and changes only with the release.
#[utoipa::path(operation_id = "list_vocabularies", tag = "service",
    responses((status = 200, description = "The vocabularies", body = Vocabularies), (status = 304, description = "Not changed"), Problems), security(()))]
#[get("/v1/vocabularies")]
pub async fn list_vocabularies(request: Extract<(Open, NoQuery, Coding)>) -> Result<HttpResponse> {
    let Extract((Open(context), _, coding)) = request;
    let vocabularies = (context.state().hooks.vocabularies)();
    Ok(context.show_fixed(Cache::Minute, "application/json", vocabularies, coding))
}
