//! The sections about the account and what the service did: messages, logins, links, exports, who looked.

use std::cmp::Reverse;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::all;
use super::items::{
    ExportedAccount, ExportedErasure, ExportedExport, ExportedLink, ExportedLogin, ExportedMerge, ExportedMessage,
    ExportedRetention,
};
use super::people::{People, without_names};
use super::types::ExportedSafeguarding;
use crate::auth::links::store::LinkRow;
use crate::auth::logins::store::LoginRow;
use crate::calendars::links::store as calendar_links;
use crate::calendars::links::types::CalendarLink;
use crate::db::schema::{logins, one_time_links, users};
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Timestamp};
use crate::erasures::retention::store::{self as retention, KeptRow};
use crate::erasures::store::{self as erasures, ErasureRow};
use crate::erasures::types::ErasureRequest;
use crate::erasures::view;
use crate::error::Result;
use crate::exports::store as exports;
use crate::exports::types::{ExportChange, ExportKind};
use crate::mail::compose::Facts;
use crate::mail::handlers::message;
use crate::mail::store as messages;
use crate::mail::types::Message;
use crate::members::access_log::store::{self as access_log, Part, Seen};
use crate::members::access_log::types::{AccessLogEntry, AccessLogFilter};
use crate::members::earlier;
use crate::members::merges::store::{self as merges, MergeRow};
use crate::members::merges::types::Merge;
use crate::members::safeguarding::store::{self as safeguarding, FlagRow};
use crate::members::safeguarding::types::{SafeguardingFlag, SafeguardingFlagChange};
use crate::members::store::ids_of;

/// What the member was told, the newest first.
pub fn told(conn: &mut Conn, member: Id, now: Timestamp) -> Result<Vec<ExportedMessage>> {
    let rows = all(|slice| messages::list(conn, member, now, slice), |row| row.id)?;
    let facts = Facts::load(conn, &rows)?;
    let show = |row: crate::messages::queue::MessageRow| {
        let address = row.address.clone();
        let Message {
            id,
            kind,
            channel,
            status,
            why,
            session_id: _,
            booking_id: _,
            text,
            reason: _,
            created_at,
            sent_at,
        } = message(&facts, row);
        ExportedMessage { id, kind, channel, status, why, address, text, created_at, sent_at }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// What an account is: id, address, display name, whether it is barred, when the address was proven, the day of the last
/// login, wrong passwords since, when it was made and last changed.
type AccountRow = (Id, String, Option<String>, bool, Option<Timestamp>, Option<NaiveDate>, i32, Timestamp, Timestamp);

/// The member's account.
pub fn accounts(conn: &mut Conn, people: &People) -> Result<Vec<ExportedAccount>> {
    let columns = (
        users::id,
        users::email,
        users::display_name,
        users::disabled,
        users::email_proven_at,
        users::last_login_on,
        users::failed_logins,
        users::created_at,
        users::updated_at,
    );
    let rows: Vec<AccountRow> = users::table.filter(users::id.eq_any(people.own())).select(columns).load(conn)?;
    let show = |row: AccountRow| {
        let (id, email, display_name, disabled, email_proven_at, last_login_on, failed_logins, created_at, updated_at) =
            row;
        ExportedAccount {
            id,
            email,
            display_name,
            disabled,
            email_proven_at,
            last_login_on,
            failed_logins,
            created_at,
            updated_at,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The devices on which the member logged in, the oldest first.
pub fn devices(conn: &mut Conn, people: &People) -> Result<Vec<ExportedLogin>> {
    let own = logins::table.filter(logins::user_id.eq_any(people.own()));
    let rows: Vec<LoginRow> = own.order(logins::id).select(LoginRow::as_select()).load(conn)?;
    let show = |row: LoginRow| {
        let LoginRow {
            id,
            user_id: _,
            // What tokens are made with, and how many were.
            nonce: _,
            counter: _,
            rotated_at: _,
            by_cookie,
            client_name,
            network,
            last_used_at,
            expires_at,
            ended_at,
            ended_why,
            created_at,
        } = row;
        let ended_why = ended_why.map(TextEnum::name);
        ExportedLogin { id, client_name, network, by_cookie, created_at, last_used_at, expires_at, ended_at, ended_why }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The links that the member was sent: those of the record, of the account, and of the account's address.
pub fn links(conn: &mut Conn, member: Id, emails: &[String], people: &mut People) -> Result<Vec<ExportedLink>> {
    let of_member = one_time_links::member_id.eq(member);
    let of_account = one_time_links::user_id.eq_any(people.own().to_vec());
    let of_address = one_time_links::email.eq_any(emails);
    let own = one_time_links::table.filter(of_member.or(of_account).or(of_address));
    let rows: Vec<LinkRow> = own.order(one_time_links::id).select(LinkRow::as_select()).load(conn)?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let LinkRow {
            id,
            purpose,
            user_id: _,
            member_id: _,
            email,
            // What somebody wrote who registers: it became the record.
            form: _,
            created_by,
            tries,
            expires_at,
            used_at,
            revoked_at,
            created_at,
        } = row;
        let created_by = created_by.map(|id| people.who(conn, id)).transpose()?;
        let purpose = purpose.name();
        shown.push(ExportedLink { id, purpose, email, created_by, tries, created_at, expires_at, used_at, revoked_at });
    }
    Ok(shown)
}

/// The addresses of the member's calendar, the oldest first.
pub fn calendars(conn: &mut Conn, member: Id) -> Result<Vec<CalendarLink>> {
    let rows = all(|slice| calendar_links::list(conn, member, slice), |row| row.id)?;
    Ok(rows.into_iter().map(CalendarLink::from).collect())
}

/// When the member asked for their data, the oldest first. Nothing of what became of it, which would show a review, and in
/// a document of their own nothing that they don't see elsewhere.
pub fn asked(conn: &mut Conn, member: Id, kind: ExportKind) -> Result<Vec<ExportedExport>> {
    let show = |row: exports::ExportRow| {
        let ExportChange { extended, reason } = row.written();
        let (kind, received_on, how, due_on) = (row.kind, row.received_on, row.how.clone(), row.due_on);
        ExportedExport { kind, received_on, how, due_on, extended, reason, created_at: row.created_at() }
    };
    Ok(exports::all_of(conn, member, kind)?.into_iter().map(show).collect())
}

/// When the member asked to be forgotten, the oldest first, also under an id that leads to this record now. As they read it
/// by itself: not whether a note that keeps somebody safe holds it.
pub fn to_forget(conn: &mut Conn, member: Id, today: NaiveDate) -> Result<Vec<ExportedErasure>> {
    let own = ids_of(conn, member)?;
    let show = |row: ErasureRow| {
        let origin = row.origin();
        let ErasureRequest { status, reason, hold_until, asked_on, due_on, created_at, .. } = view::request(row, today);
        ExportedErasure { status, origin, asked_on, due_on, reason, hold_until, created_at }
    };
    Ok(erasures::all_of(conn, &own)?.into_iter().map(show).collect())
}

/// Until when and why it was decided to keep the record, although nobody uses it.
pub fn kept(conn: &mut Conn, member: Id, people: &mut People) -> Result<Vec<ExportedRetention>> {
    let own = ids_of(conn, member)?;
    let mut shown = Vec::new();
    for row in retention::kept(conn, &own)? {
        let KeptRow { member_id: _, keep_until, reason, decided_by, created_at } = row;
        shown.push(ExportedRetention { keep_until, reason, decided_by: people.who(conn, decided_by)?, created_at });
    }
    Ok(shown)
}

/// When another record of the member was joined with theirs, the newest first.
pub fn merged(conn: &mut Conn, member: Id, people: &mut People) -> Result<Vec<ExportedMerge>> {
    let mut rows = Vec::new();
    for id in ids_of(conn, member)? {
        rows.extend(all(|slice| merges::list(conn, id, slice), MergeRow::key)?);
    }
    rows.sort_by_key(|row| Reverse(row.key()));
    rows.dedup_by_key(|row| row.key());
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let contact = earlier::of(conn, row.from_id())?;
        let (email, phone, postcode) =
            contact.map_or((None, None, None), |row| (row.email_key, row.phone, row.postcode));
        let Merge { id, done_by, undone_at, created_at, .. } = row.into();
        let done_by = people.who(conn, done_by)?;
        shown.push(ExportedMerge { id, done_by, email, phone, postcode, undone_at, created_at });
    }
    Ok(shown)
}

/// The notes that keep somebody safe, the oldest first.
pub fn notes(conn: &mut Conn, member: Id, people: &mut People) -> Result<Vec<ExportedSafeguarding>> {
    let rows = all(|slice| safeguarding::list(conn, member, slice), FlagRow::key)?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let SafeguardingFlag { id, member_id: _, written, raised_by, raised_on, version: _, created_at, updated_at } =
            row.into();
        let SafeguardingFlagChange { category, summary, review_on, status, closed_reason } = written;
        shown.push(ExportedSafeguarding {
            id,
            category,
            summary,
            raised_by: people.who(conn, raised_by)?,
            raised_on,
            review_on,
            status,
            closed_reason,
            created_at,
            updated_at,
        });
    }
    Ok(shown)
}

/// Who looked at the member's data or changed it, the newest first.
pub fn looked(conn: &mut Conn, member: Id, part: Part, today: NaiveDate) -> Result<Vec<AccessLogEntry>> {
    let filter = AccessLogFilter { from: None, to: None, own: None, limit: None, cursor: None };
    let read = |slice: &_| access_log::list(conn, (member, part), &filter, slice, today);
    let rows = all(read, Seen::key)?;
    Ok(rows.into_iter().map(|seen| without_names(seen.into())).collect())
}
