//! Local authorities over HTTP.

use super::store;
use super::types::{AuthorityInUse, LocalAuthorities};
use crate::auth::policy::Public;
use crate::http::prelude::*;
use crate::places::LocalAuthority;

/// List local authorities
///
/// All of the United Kingdom, in one answer: for a menu. Those with venues come first, and say how many they have.
#[utoipa::path(operation_id = "list_local_authorities", tag = "venues",
    responses((status = 200, description = "The local authorities", body = LocalAuthorities), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/local-authorities")]
pub async fn list_local_authorities(request: Extract<(Allowed<Public>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, _)) = request;
    let counts = who.state().db.read(store::venues_by_code).await?;
    let with_venues = |one: LocalAuthority| AuthorityInUse {
        name: one.name,
        code: one.code,
        venues: counts.get(one.code).copied().unwrap_or_default(),
    };
    let mut items: Vec<AuthorityInUse> = LocalAuthority::all().map(with_venues).collect();
    items.sort_by_key(|one| (one.venues == 0, one.name));
    who.show_plain(Cache::Minute, &LocalAuthorities { items })
}
