//! How far the sessions of an entry without an end are stated.

use chrono::{Days, NaiveDate};

use super::current::Stored;
use crate::clock::london_day;
use crate::db::{Id, LocalTime};
use crate::http::context::Context;
use crate::sessions::recurrence::{self, Expansion, MAX_DAYS, OccurrenceKey, Recurrence, RecurrenceError};
use crate::sessions::series::store::SeriesRow;

/// How far an entry reaches whose rule has no end.
///
/// - A new series reaches to the horizon.
/// - One that stands as it did reaches exactly as far as it has sessions: that time goes on is no change of the
///   partner's, and making the next ones isn't the roster's task. Nor does its past matter, however long it is.
/// - One whose times have changed reaches to the horizon, and as far as it has sessions, so that all of them follow. So
///   does one that was withdrawn and is named again.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    today: NaiveDate,
    horizon: NaiveDate,
    held: Option<&'a SeriesRow>,
}

impl<'a> Extent<'a> {
    /// Of an entry that is this series, where it is one already.
    pub fn of(series: Option<Id>, stored: &'a Stored, context: &Context) -> Self {
        let held = series.and_then(|id| stored.series.get(&id));
        let sessions = held.and_then(|held| stored.sessions.get(&held.id));
        let keys = sessions.into_iter().flatten().filter_map(|session| session.occurrence);
        let last = keys.filter(|key| !key.is_additional).map(OccurrenceKey::date).max();
        let reached = held.and_then(|held| held.expanded_until).max(last);
        let horizon = context.state().config.horizon.day(context.now());
        Self { today: london_day(context.now()), horizon: reached.unwrap_or(horizon).max(horizon), held }
    }

    /// The occurrences of a recurrence in a zone of this name, as far as it reaches. The days that it looks at are taken
    /// from the work that its roster may be. One that is stated anew may look at as many as a series that is made by
    /// itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn expand(&self, zone: &str, recurrence: &Recurrence<'_>) -> Result<Expansion, RecurrenceError> {
        let held = self.held.filter(|held| held.activity.time_zone == zone && stands(held, recurrence));
        let part = recurrence.work.part(if held.is_some() { u32::MAX } else { MAX_DAYS });
        let expansion = self.list(held, &Recurrence { work: &part, ..*recurrence });
        recurrence.work.take(&part);
        expansion
    }

    /// Lists the occurrences. `held` is the series if it stands as it did.
    fn list(&self, held: Option<&SeriesRow>, recurrence: &Recurrence<'_>) -> Result<Expansion, RecurrenceError> {
        let reached = |held: &SeriesRow| {
            held.expanded_until.map(|until| if held.ending.0.withdrawn.is_some() { self.horizon } else { until })
        };
        let Some(until) = held.and_then(reached) else {
            let expand = if self.held.is_some() { recurrence::expand_kept } else { recurrence::expand };
            let expansion = recurrence::some(expand(recurrence, self.horizon)?)?;
            recurrence::check_to_come(&expansion, self.today)?;
            return Ok(expansion);
        };
        // It may be the day before in the series' zone.
        let past = self.today.checked_sub_days(Days::new(2)).unwrap_or(self.today);
        let occurrences = recurrence::expand_between(recurrence, past, until)?;
        Ok(Expansion { occurrences, until: Some(until) })
    }
}

/// Whether a series is stated to take place when it does.
fn stands(held: &SeriesRow, stated: &Recurrence<'_>) -> bool {
    let same = |kept: &[LocalTime], times: &[chrono::NaiveDateTime]| kept.iter().map(|time| &time.0).eq(times);
    held.repetition.recurrence == stated.rule
        && held.activity.local_start.0 == stated.local_start
        && same(&held.repetition.excluded.0, stated.excluded)
        && same(&held.repetition.additional.0, stated.additional)
}
