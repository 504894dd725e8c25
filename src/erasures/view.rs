//! Erasures as they are shown: the row, and what is looked up beside it.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::rules::SEE_THE_LEAD;
use super::store::{self, ErasureRow};
use super::types::{DiskState, Erasure, ErasureBlocker, ErasureRequest, ErasureResult, ErasureStatus, WriteAheadLog};
use crate::clock::london_day;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::conditional::Tag;

/// What is looked up beside requests.
pub struct Views {
    today: NaiveDate,
    /// Whether all writes go through one log, which the server can empty.
    empties_log: bool,
    waiting_for_lead: HashSet<Id>,
    blockers: HashMap<Id, Vec<ErasureBlocker>>,
}

impl Views {
    /// Looks up what is shown beside these rows.
    pub fn of(conn: &mut Conn, rows: &[ErasureRow], now: Timestamp) -> Result<Self> {
        let open: Vec<&ErasureRow> = rows.iter().filter(|row| row.is_open()).collect();
        let ids: Vec<Id> = open.iter().map(|row| row.id).collect();
        let members: Vec<Id> = open.iter().map(|row| row.member_id).collect();
        Ok(Self {
            today: london_day(now),
            empties_log: matches!(conn, Conn::Sqlite(_)),
            waiting_for_lead: store::waiting_for_lead(conn, &ids)?,
            blockers: store::blockers(conn, &members, now)?,
        })
    }

    /// Whether an open safeguarding flag holds a request.
    pub fn waits_for_lead(&self, row: &ErasureRow) -> bool {
        self.waiting_for_lead.contains(&row.id)
    }

    /// The state of a request.
    pub fn status(&self, row: &ErasureRow) -> ErasureStatus {
        if self.waits_for_lead(row) { ErasureStatus::Held } else { row.status(self.today) }
    }

    /// What stands in the way of a request.
    pub fn blockers(&self, row: &ErasureRow) -> Vec<ErasureBlocker> {
        let mut blockers = self.blockers.get(&row.member_id).cloned().unwrap_or_default();
        blockers.extend((self.status(row) == ErasureStatus::Held).then_some(ErasureBlocker::Held));
        blockers
    }

    /// A request as an admin sees it.
    pub fn show(&self, row: ErasureRow) -> Erasure {
        let (status, blockers) = (self.status(&row), self.blockers(&row));
        let is_held = status == ErasureStatus::Held;
        let result = row.result.zip(row.disk).map(|(rows, disk)| ErasureResult {
            rows: rows.0,
            disk,
            wal: match disk {
                DiskState::Done if self.empties_log => WriteAheadLog::Emptied,
                _ => WriteAheadLog::UntilRecycled,
            },
            backups: Vec::new(),
        });
        let by_lead = self.waiting_for_lead.contains(&row.id).then(|| SEE_THE_LEAD.to_owned());
        Erasure {
            id: row.id,
            member_id: row.member_id,
            status,
            origin: row.origin,
            asked_on: row.asked_on,
            due_on: row.due_on,
            blockers,
            reason: by_lead.or(row.reason).filter(|_| is_held),
            hold_until: row.hold_until.filter(|_| is_held),
            executed_at: row.executed_at,
            result,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A request as the member and advisors see it. They don't see that a safeguarding flag holds it.
pub fn request(row: ErasureRow, today: NaiveDate) -> ErasureRequest {
    let status = row.status(today);
    let is_held = status == ErasureStatus::Held;
    ErasureRequest {
        id: row.id,
        member_id: row.member_id,
        status,
        reason: row.reason.filter(|_| is_held),
        hold_until: row.hold_until.filter(|_| is_held),
        asked_on: row.asked_on,
        due_on: row.due_on,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// The tag of a request. It isn't the version alone: a hold ends by itself, and what stands in the way changes.
pub fn tag(erasure: &Erasure) -> Result<Tag> {
    Tag::live(erasure.version, erasure)
}
