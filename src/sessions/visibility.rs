//! What a viewer may see of sessions and series, and whose a new one is.
//!
//! A session or series is public while it is published and its partner is active. This is said twice, for one by its id
//! ([`Visibility::of`]) and for lists (`listed!`), and both stand here.

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

/// What somebody may see of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// They see it.
    Visible,
    /// They don't.
    Hidden,
    /// This member does where a booking or a prescription item of theirs is for it.
    IfTheirs(Id),
}

impl Visibility {
    /// What a viewer may see of one session or series, of a partner or (`None`) of the service itself. What people have
    /// booked stays theirs, whatever becomes of the partner.
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

/// The partners whose sessions and series this viewer doesn't find in lists: those that aren't active.
pub fn hidden_partners(conn: &mut Conn, viewer: Viewer) -> Result<Vec<Id>> {
    if viewer == Viewer::Staff {
        return Ok(Vec::new());
    }
    // As the index has it: a bound value would not be known to be this one.
    let inactive = partners::table.filter(sql::<Bool>("partners.status <> 'active'"));
    Ok(inactive.select(partners::id).load(conn)?)
}

/// Keeps of a boxed query of `sessions` or `session_series` what a viewer finds in lists: what is published and not of
/// one of the [`hidden_partners`], and a partner's own. A macro, since the columns of each table are types of their own.
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

/// Whose a new session or series is: a partner's own, whether it says so or not.
///
/// # Errors
/// 422 where a partner names another; 403 where the caller is of no partner.
pub fn owner(caller: &Caller, named: Option<Id>) -> Result<Option<Id>> {
    match (Reach::of(caller)?, named) {
        (Reach::Everyone, named) => Ok(named),
        (Reach::Partner(own), None) => Ok(Some(own)),
        (Reach::Partner(own), Some(named)) if own == named => Ok(Some(own)),
        _ => Err(Error::rule("/partner_id", "foreign_partner", "Is another partner. Leave it out: it is yours.")),
    }
}
