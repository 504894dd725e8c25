//! Facets over HTTP.

use super::store;
use super::types::Facets;
use crate::auth::policy::Public;
use crate::auth::viewer::Viewer;
use crate::http::prelude::*;
use crate::sessions::search::filter::FacetFilter;
use crate::sessions::search::query::Search;

/// Count by facets
///
/// For menus: the choices, and how many series each leads to. The filters are those of sessions. A facet's own filter is
/// left out of its own counts, because somebody who has chosen one topic wants to know what another would give. All other
/// filters count.
///
/// What is counted are series, not sessions: the cards that `GET /v1/session-series` lists with the choice. A weekly group
/// counts once, and a group that meets on two days counts for each of them. Single sessions aren't counted.
#[utoipa::path(operation_id = "count_by_facets", tag = "sessions", params(FacetFilter),
    responses((status = 200, description = "The choices", body = Facets), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions/facets")]
pub async fn count_by_facets(request: Extract<(Allowed<Public>, Query<FacetFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let by = filter.by.clone();
    let search = Search::read(Viewer::of(who.anyone()), filter.into(), who.now())?.for_series();
    let facets = who.state().db.read_long(move |conn| store::count(conn, &search, &by)).await?;
    who.show_plain(Cache::Revalidate, &facets)
}
