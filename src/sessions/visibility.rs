//! Which sessions and series a viewer may see, and whom a new one belongs to.
//!
//! A session or series is public while it is published and its partner is active. This rule is here twice: for one by
//! its id ([`Visibility::of`]) and for lists (`listed!`).

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::types::Publication;
use crate::auth::caller::Caller;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::db::schema::partners;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::partners::types::PartnerStatus;

/// Whether a viewer may see a session or series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// The viewer may see it.
    Visible,
    /// The viewer may not see it.
    Hidden,
    /// This member may see it if they have a booking or a prescription item for it.
    IfTheirs(Id),
}

impl Visibility {
    /// Whether a viewer may see a session or series of a partner, or of the service itself (`None`). Members keep
    /// seeing what they have booked, also if the partner isn't active any more.
    pub fn of(viewer: Viewer, publication: Publication, partner: Option<(Id, PartnerStatus)>) -> Self {
        let own = partner.is_some_and(|(id, _)| viewer.own_partner() == Some(id));
        let is_active = partner.is_none_or(|(_, status)| status == PartnerStatus::Active);
        match (viewer, publication) {
            (Viewer::Staff, _) => Self::Visible,
            _ if own => Self::Visible,
            (_, Publication::Published) if is_active => Self::Visible,
            (Viewer::Member(member), Publication::Published | Publication::Unlisted) => Self::IfTheirs(member),
            _ => Self::Hidden,
        }
    }
}

/// The partners whose sessions and series aren't in lists for this viewer: the partners that aren't active.
pub fn hidden_partners(conn: &mut Conn, viewer: Viewer) -> Result<Vec<Id>> {
    if viewer == Viewer::Staff {
        return Ok(Vec::new());
    }
    // In the statement itself, not in a parameter: otherwise the partial index isn't used.
    let inactive = partners::table.filter(sql::<Bool>("partners.status <> 'active'"));
    Ok(inactive.select(partners::id).load(conn)?)
}

/// Restricts a boxed query of `sessions` or `session_series` to what a viewer finds in lists: what is published by
/// partners other than the [`hidden_partners`], and a partner's own. It is a macro because each table has its own types
/// of columns.
macro_rules! listed {
    ($query:expr, $table:ident, $viewer:expr, $hidden:expr) => {{
        use $crate::auth::viewer::Viewer;
        use $crate::sessions::search::looked_at;
        use $crate::sessions::types::Publication;
        let published = $table::publication.eq(Publication::Published);
        let query = match $viewer {
            Viewer::Staff => $query,
            Viewer::Partner(own) => {
                let own = $table::partner_id.eq(own).assume_not_null();
                $query.filter(looked_at(published.or(own)))
            }
            Viewer::Member(_) | Viewer::Public => $query.filter(published),
        };
        match $hidden {
            [] => query,
            hidden => {
                let others = $table::partner_id.ne_all(hidden).assume_not_null();
                query.filter(looked_at($table::partner_id.is_null().or(others)))
            }
        }
    }};
}
pub(crate) use listed;

/// The partner that a new session or series belongs to. What a partner makes is its own, whether or not it says so.
///
/// # Errors
/// 422 if a partner names another partner. 403 if the caller is neither staff nor a partner.
pub fn owner(caller: &Caller, named: Option<Id>) -> Result<Option<Id>> {
    match (Reach::of(caller)?, named) {
        (Reach::Everyone, named) => Ok(named),
        (Reach::Partner(own), None) => Ok(Some(own)),
        (Reach::Partner(own), Some(named)) if own == named => Ok(Some(own)),
        _ => {
            Err(Error::rule("/partner_id", "foreign_partner", "Is another partner. Leave it out for your own partner."))
        }
    }
}
