//! Local authorities as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// All local authorities of the United Kingdom.
#[derive(Debug, Serialize, ToSchema)]
pub struct LocalAuthorities {
    /// Those with venues first, each part by name.
    pub items: Vec<AuthorityInUse>,
}

/// A local authority, and how many venues are in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorityInUse {
    /// The official name. It is what a filter such as `local_authority` takes, among other names.
    #[schema(example = "Liverpool")]
    pub name: &'static str,
    /// The GSS code.
    #[schema(example = "E08000012")]
    pub code: &'static str,
    /// How many venues are in it, without those that are closed for good.
    #[schema(minimum = 0, example = 24)]
    pub venues: i64,
}
