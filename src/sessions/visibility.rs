//! Which sessions and series a viewer may see, and whom a new one belongs to.
//!
//! A session or series is public while it is published and its partner is active. This rule is here twice: for one by
//! its id ([`Visibility::of`]) and for lists ([`Part`]).

use diesel::prelude::*;

use super::types::Publication;
use crate::auth::caller::Caller;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::db::Id;
use crate::db::schema::sessions;
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

/// A part of the sessions or series that a viewer finds in lists. Every index that a list is read from has `published`
/// in front of the order of the list. So each part is read by itself, and drafts that a viewer may not see cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything that is published.
    Published,
    /// What is published by partners that are active, and by the service itself.
    Public,
    /// Everything that isn't published.
    Unpublished,
    /// What this partner has that isn't published.
    OwnUnpublished(Id),
}

impl Part {
    /// The parts that a viewer finds in lists.
    pub fn of(viewer: Viewer) -> Vec<Self> {
        match viewer {
            Viewer::Staff => vec![Self::Published, Self::Unpublished],
            Viewer::Partner(own) => vec![Self::Public, Self::OwnUnpublished(own)],
            Viewer::Member(_) | Viewer::Public => vec![Self::Public],
        }
    }

    /// Whether what is published is read.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Published | Self::Public)
    }
}

diesel::define_sql_function! {
    /// The condition itself. It tells SQLite that most rows meet it: otherwise SQLite takes `published` for as selective as
    /// a venue, and reads the index of all sessions for those of one venue. PostgreSQL's function is in the migration.
    fn likely(condition: diesel::sql_types::Bool) -> diesel::sql_types::Bool;
}

/// Every session, published or not. Whoever reads all sessions of a venue or partner by start states this, because
/// `published` comes before the start in their indexes.
pub fn published_or_not() -> likely<diesel::dsl::EqAny<sessions::published, [bool; 2]>> {
    likely(sessions::published.eq_any([true, false]))
}

/// Restricts a boxed query of `sessions` or `session_series`, joined with `partners`, to a part of a list. It is a macro
/// because each table has its own types of columns. `$wrap` can be `looked_at`, if the rows are reached by another index.
macro_rules! in_part {
    ($query:expr, $table:ident, $part:expr) => {
        $crate::sessions::visibility::in_part!($query, $table, $part, std::convert::identity)
    };
    ($query:expr, $table:ident, $part:expr, $wrap:path) => {{
        use $crate::db::schema::partners;
        use $crate::partners::types::PartnerStatus;
        use $crate::sessions::search::looked_at;
        use $crate::sessions::visibility::Part;
        let published = $crate::sessions::visibility::likely($table::published.eq($part.is_published()));
        let query = $query.filter($wrap(published));
        match $part {
            Part::Published | Part::Unpublished => query,
            Part::Public => {
                let active = partners::status.nullable().eq(PartnerStatus::Active);
                query.filter(looked_at(active.or($table::partner_id.is_null())))
            }
            Part::OwnUnpublished(own) => query.filter($wrap($table::partner_id.eq(own))),
        }
    }};
}
pub(crate) use in_part;

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
