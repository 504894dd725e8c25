//! What a viewer may see of sessions and series, and whose a new one is.

use super::types::Publication;
use crate::auth::caller::Caller;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::db::Id;
use crate::error::{Error, Result};

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
    /// What a viewer may see of one session or series of a partner.
    pub fn of(viewer: Viewer, publication: Publication, partner_id: Option<Id>) -> Self {
        match (viewer, publication) {
            (Viewer::Staff, _) | (_, Publication::Published) => Self::Visible,
            (Viewer::Partner(partner), _) if partner_id == Some(partner) => Self::Visible,
            (Viewer::Member(member), Publication::Unlisted) => Self::IfTheirs(member),
            _ => Self::Hidden,
        }
    }
}

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
