//! What has become of a record: an id can lead to another record, or to none.
//!
//! - The record of somebody who was registered twice is merged into their other one. Its row stays, empty, and names the
//!   other. Reads of the old id are answered with a redirect, because apps hold old ids. Other requests are refused, and
//!   told the new id.
//! - The row of somebody whose record was erased stays, empty, so that counts stay.
//!
//! Neither is in a search, a list or a suggestion: such a query names [`is_live`].

use diesel::dsl::{And, IsNull};
use diesel::prelude::*;

use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::db::schema::members;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Kind, Result};

/// What has become of a record.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Fate {
    /// The record that it was merged into.
    pub merged_into: Option<Id>,
    /// When it was erased.
    pub erased_at: Option<Timestamp>,
}

/// The columns of a [`Fate`].
pub const COLUMNS: (members::merged_into, members::erased_at) = (members::merged_into, members::erased_at);

/// The condition that a record was neither merged nor erased. The indexes that members are found by hold only such rows,
/// so every look-up names it.
pub fn is_live() -> And<IsNull<members::merged_into>, IsNull<members::erased_at>> {
    members::merged_into.is_null().and(members::erased_at.is_null())
}

/// The error for a member who doesn't exist, or whom the caller may not see.
pub fn missing() -> Error {
    Error::not_found("member")
}

impl Fate {
    /// Whether the record was neither merged nor erased.
    pub fn is_live(self) -> bool {
        self.merged_into.is_none() && self.erased_at.is_none()
    }

    /// Checks that this caller can use the record `id`, whose fate this is.
    ///
    /// # Errors
    /// 409 `merged`, and to a read a redirect, if it was merged into a record that the caller reaches. 410 with the day if
    /// it was erased and the caller reaches everybody. 404 to everybody else, and if the caller doesn't reach it.
    pub fn check(self, reach: Reach, id: Id) -> Result<()> {
        match (self.merged_into, self.erased_at) {
            (Some(into), _) if reach.has_member(into) => Err(Error::merged(id, into)),
            (None, Some(at)) if reach == Reach::Everyone => {
                Err(Error::new(Kind::Erased, format!("The record was erased on {}.", london_day(at))))
            }
            (None, None) if reach.has_member(id) => Ok(()),
            _ => Err(missing()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn only_who_may_see_the_new_record_is_led_to_it() {
        let clock = Clock::stopped_at("2026-11-23T23:30:00Z".parse().unwrap());
        let (old, new, other) = (clock.new_id(), clock.new_id(), clock.new_id());
        let merged = Fate { merged_into: Some(new), erased_at: None };
        let erased = Fate { merged_into: None, erased_at: Some(clock.now()) };
        let live = Fate { merged_into: None, erased_at: None };
        let kind = |fate: Fate, reach| fate.check(reach, old).map_err(|error| error.kind()).err();
        for reach in [Reach::Everyone, Reach::Member(new)] {
            assert_eq!(kind(merged, reach), Some(Kind::Merged));
            assert_eq!(merged.check(reach, old).unwrap_err().leads_to(), Some((old, new)));
        }
        assert_eq!(kind(erased, Reach::Everyone), Some(Kind::Erased));
        assert_eq!(erased.check(Reach::Everyone, old).unwrap_err().to_string(), "The record was erased on 2026-11-23.");
        for reach in [Reach::Member(other), Reach::Member(old), Reach::Partner(other)] {
            assert_eq!(kind(merged, reach), Some(Kind::NotFound), "{reach:?}");
            assert_eq!(kind(erased, reach), Some(Kind::NotFound), "{reach:?}");
        }
        assert_eq!((kind(live, Reach::Everyone), kind(live, Reach::Member(old))), (None, None));
        assert_eq!(kind(live, Reach::Member(other)), Some(Kind::NotFound));
    }
}
