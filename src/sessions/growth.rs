//! By how much a write of series and sessions makes their partner have more: see [`crate::partners::quotas`].

use std::collections::HashMap;

use super::series::store::SeriesRow;
use super::store::{Revision, SessionRow};
use super::wordings::Wording;
use crate::db::{Id, Timestamp};
use crate::partners::quotas::Growth;

impl Growth {
    /// A new series.
    pub fn of_series(series: &SeriesRow) -> Self {
        Self { series: 1, series_text: Wording::from(series).bytes().into(), ..Self::default() }
    }

    /// A series that says something else than before.
    pub fn of_changed_series(series: &SeriesRow, before: &SeriesRow) -> Self {
        let bytes = |row| i64::from(Wording::from(row).bytes());
        Self { series_text: bytes(series) - bytes(before), ..Self::default() }
    }

    /// The same after the series were written.
    pub fn after_series(self) -> Self {
        Self { series_are_written: true, ..self }
    }

    /// The same with sessions that aren't written yet. `wordings` has what they will say.
    pub fn and_sessions<'a>(
        mut self,
        new: &[SessionRow],
        changed: &[Revision],
        wordings: impl IntoIterator<Item = &'a Wording>,
        now: Timestamp,
    ) -> Self {
        let is_to_come = |row: &SessionRow| i64::from(row.starts_at > now);
        let bytes: HashMap<Id, i64> =
            wordings.into_iter().map(|wording| (wording.id(), i64::from(wording.bytes()))).collect();
        let mut says = |id: Id| self.said.extend(bytes.get(&id).map(|bytes| (id, *bytes)));
        for row in new {
            self.sessions += is_to_come(row);
            says(row.wording_id);
        }
        for Revision { from, to } in changed {
            self.sessions += is_to_come(to) - is_to_come(from);
            if to.wording_id != from.wording_id {
                says(to.wording_id);
                *self.left.entry(from.wording_id).or_default() += 1;
            }
        }
        self
    }
}
