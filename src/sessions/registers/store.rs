//! Registers in the database.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::headcounts::{self, HeadcountChange};
use super::rules::{self, Plan, Present};
use super::types::{Headcount, Register, RegisterInput, RegisteredBooking, RegisteredMember, WalkIn};
use crate::auth::caller::{Caller, Scope};
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::db::schema::{bookings, members, registers, walk_ins};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::insert_many;
use crate::members::access_needs::rules::{Brief, Sharing};
use crate::members::access_needs::store as access_needs;
use crate::members::activity;
use crate::members::fate::is_live;
use crate::members::store::{NAMES, Names, member_name};
use crate::members::types::MemberName;
use crate::sessions::bookings::seats::{SessionFacts, lock_session, may_see, see, session};
use crate::sessions::bookings::types::BookingStatus;
use crate::sessions::bookings::waiting;

/// A row of `registers`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = registers)]
pub struct RegisterRow {
    beneficiaries: i32,
    family: i32,
    carers: i32,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a caller may see of registers.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// Whose sessions.
    pub reach: Reach,
    /// Whether the caller may read who is in a register. A client that may only take registers sees nobody.
    pub sees_people: bool,
}

impl Access {
    /// What this caller may see.
    ///
    /// # Errors
    /// 403 for a role that reaches no person's record.
    pub fn of(caller: &Caller) -> Result<Self> {
        Ok(Self { reach: Reach::to_people(caller)?, sees_people: caller.has_scope(Scope::RegistersRead) })
    }

    /// Which access needs the caller may see of the people in a register.
    fn sharing(self) -> Sharing {
        if self.reach == Reach::Everyone { Sharing::Everything } else { Sharing::SharedOnly }
    }
}

/// A row of `walk_ins`: a member who came without a booking.
#[derive(Debug, Insertable)]
#[diesel(table_name = walk_ins)]
pub(crate) struct WalkInRow {
    pub(crate) session_id: Id,
    pub(crate) member_id: Id,
    pub(crate) created_at: Timestamp,
}

/// A register as a caller may see it.
pub struct RegisterView {
    /// The register to answer with.
    pub register: Register,
    /// The members whose data the register holds, each once.
    pub people: Vec<Id>,
}

/// Reads a session's register.
///
/// # Errors
/// 404 if the caller may not reach the session.
pub fn read(conn: &mut Conn, session_id: Id, access: Access, today: NaiveDate) -> Result<RegisterView> {
    session(conn, session_id, access.reach)?;
    show(conn, session_id, access, today)
}

fn show(conn: &mut Conn, session_id: Id, access: Access, today: NaiveDate) -> Result<RegisterView> {
    let row = row(conn, session_id)?;
    let booked: Vec<(Id, String, BookingStatus, Id, Names)> = bookings::table
        .inner_join(members::table)
        .filter(bookings::session_id.eq(session_id))
        .filter(bookings::status.eq_any(BookingStatus::REGISTERED))
        .order(bookings::id)
        .select((bookings::id, bookings::reference, bookings::status, bookings::member_id, NAMES))
        .load(conn)?;
    let came: Vec<(Id, Names)> = walk_ins::table
        .inner_join(members::table)
        .filter(walk_ins::session_id.eq(session_id))
        .order((walk_ins::created_at, walk_ins::member_id))
        .select((walk_ins::member_id, NAMES))
        .load(conn)?;
    let people: Vec<Id> = booked.iter().map(|(_, _, _, member, _)| *member).chain(came.iter().map(|c| c.0)).collect();
    let seen = if access.sees_people { may_see(conn, access.reach, &people)? } else { HashSet::new() };
    let shown: Vec<Id> = seen.iter().copied().collect();
    let mut needs = access_needs::in_brief(conn, &shown, access.sharing(), today)?;
    let mut member = |id: Id, names: Names| {
        let needs = needs.remove(&id).unwrap_or_default();
        seen.contains(&id).then(|| registered(member_name(id, names), needs))
    };
    let register = Register {
        session_id,
        bookings: booked
            .into_iter()
            .map(|(booking_id, reference, status, id, names)| RegisteredBooking {
                booking_id,
                reference,
                status,
                attended: rules::attended(status),
                member: member(id, names),
            })
            .collect(),
        walk_ins: came.into_iter().map(|(id, names)| WalkIn { member: member(id, names) }).collect(),
        headcount: row.as_ref().map(RegisterRow::headcount).unwrap_or_default(),
        version: row.as_ref().map_or(0, |row| row.version),
        created_at: row.as_ref().map(|row| row.created_at),
        updated_at: row.as_ref().map(|row| row.updated_at),
    };
    // No member has both a booking and a walk-in in one session, so nobody is here twice.
    let people = people.into_iter().filter(|id| seen.contains(id)).collect();
    Ok(RegisterView { register, people })
}

fn registered(name: MemberName, needs: Brief) -> RegisteredMember {
    RegisteredMember {
        id: name.id,
        display_name: name.display_name,
        has_access_needs: needs.any(),
        access_needs_review_due: needs.review_due,
        access_needs: needs.codes,
    }
}

impl RegisterRow {
    fn headcount(&self) -> Headcount {
        Headcount { beneficiaries: self.beneficiaries, family: self.family, carers: self.carers }
    }
}

fn row(conn: &mut Conn, session_id: Id) -> Result<Option<RegisterRow>> {
    Ok(registers::table.find(session_id).select(RegisterRow::as_select()).first(conn).optional()?)
}

/// Locks the session until the transaction ends, and returns it with the version of its register.
///
/// # Errors
/// 404 if the caller may not reach the session.
pub fn hold(conn: &mut Conn, session_id: Id, reach: Reach) -> Result<(SessionFacts, i32)> {
    let session = lock_session(conn, session_id)?;
    see(conn, &session, reach)?;
    let version = row(conn, session_id)?.map_or(0, |row| row.version);
    Ok((session, version))
}

/// Whether the register of a session can be taken.
///
/// # Errors
/// 409 if it is cancelled or has not started.
pub fn check_started(session: &SessionFacts, now: Timestamp) -> Result<()> {
    if session.is_cancelled() {
        return Err(Error::state("session", "cancelled", "be registered").at_its_end());
    }
    if session.starts_at > now {
        let detail = format!("The session starts at {}. Take its register after that.", session.starts_at);
        return Err(Error::new(Kind::SessionNotStarted, detail));
    }
    Ok(())
}

/// Takes the register of a session that is [locked](hold) and [has started](check_started), over the version that it had
/// then. Without a plan the register stays as it was, and nothing is written.
///
/// # Errors
/// 422 with every fault. 412 if a roster, which doesn't lock the session, has taken the register in between.
pub fn take(
    conn: &mut Conn,
    (session, version): (&SessionFacts, i32),
    input: &RegisterInput,
    (access, account): (Access, Id),
    now: Timestamp,
) -> Result<(Option<Plan>, RegisterView)> {
    let today = london_day(now);
    // The session has started. Members who still wait or have an offer lose their places, and can be walk-ins.
    waiting::lapse(conn, &mut session.clone(), now)?;
    let present = present(conn, session.id, input, access.reach)?;
    let mut plan = rules::plan(input, &present).map_err(Error::invalid)?;
    if !access.sees_people {
        // Whoever doesn't see the walk-ins hasn't left one out.
        plan.gone.clear();
    }
    let stands = row(conn, session.id)?.is_some_and(|row| row.headcount() == input.headcount);
    if stands && plan == Plan::default() {
        return Ok((None, show(conn, session.id, access, today)?));
    }
    mark(conn, &plan, now)?;
    change_walk_ins(conn, session.id, &plan, now)?;
    activity::note_all(conn, &plan.attended(), london_day(session.starts_at))?;
    let before = (version > 0).then_some(version);
    let change = HeadcountChange { session_id: session.id, headcount: input.headcount, before };
    headcounts::write(conn, &[change], account, now)?;
    Ok((Some(plan), show(conn, session.id, access, today)?))
}

/// Whether a register has been taken and stands exactly as this would take it.
pub fn stands(conn: &mut Conn, session: Id, input: &RegisterInput, access: Access) -> Result<bool> {
    if row(conn, session)?.is_none_or(|row| row.headcount() != input.headcount) {
        return Ok(false);
    }
    let Ok(plan) = rules::plan(input, &present(conn, session, input, access.reach)?) else { return Ok(false) };
    let gone = if access.sees_people { plan.gone } else { Vec::new() };
    Ok(Plan { gone, ..plan } == Plan::default())
}

/// Takes the headcount alone of a session that is [locked](hold) and [has started](check_started), over the version that
/// its register had then. `change` makes the new headcount of the present one. `false` if it is the same.
///
/// # Errors
/// Those of `change`.
pub fn count(
    conn: &mut Conn,
    (session, version): (Id, i32),
    account: Id,
    now: Timestamp,
    change: impl FnOnce(Headcount) -> Result<Headcount>,
) -> Result<bool> {
    let held = row(conn, session)?.map(|row| row.headcount());
    let headcount = change(held.unwrap_or_default())?;
    if held == Some(headcount) {
        return Ok(false);
    }
    let before = (version > 0).then_some(version);
    headcounts::write(conn, &[HeadcountChange { session_id: session, headcount, before }], account, now)?;
    Ok(true)
}

fn present(conn: &mut Conn, session_id: Id, input: &RegisterInput, reach: Reach) -> Result<Present> {
    let booked: Vec<(Id, Id, BookingStatus)> = bookings::table
        .filter(bookings::session_id.eq(session_id))
        .filter(bookings::status.eq_any(BookingStatus::REGISTERED))
        .select((bookings::id, bookings::member_id, bookings::status))
        .load(conn)?;
    let walk_ins: Vec<Id> = walk_ins::table
        .filter(walk_ins::session_id.eq(session_id))
        .order(walk_ins::member_id)
        .select(walk_ins::member_id)
        .load(conn)?;
    let named: HashSet<Id> =
        input.walk_ins.iter().filter_map(|walk_in| walk_in.member_id).chain(walk_ins.iter().copied()).collect();
    let named: Vec<Id> = named.into_iter().collect();
    // None of them is merged or erased until this transaction ends.
    crate::lock_rows!(conn, members, named.iter().copied(), for_key_share);
    let mut known: Vec<Id> = Vec::new();
    for chunk in named.chunks(AT_ONCE) {
        let found: Vec<Id> =
            members::table.filter(members::id.eq_any(chunk)).filter(is_live()).select(members::id).load(conn)?;
        known.extend(found);
    }
    let bookings: HashMap<Id, (Id, BookingStatus)> =
        booked.into_iter().map(|(id, who, status)| (id, (who, status))).collect();
    let gone = walk_ins.iter().filter(|member| reach == Reach::Everyone && !known.contains(member));
    let erased = gone.copied().collect();
    Ok(Present { bookings, walk_ins, visible: may_see(conn, reach, &known)?, erased })
}

fn mark(conn: &mut Conn, plan: &Plan, now: Timestamp) -> Result<()> {
    for status in BookingStatus::REGISTERED {
        let ids: Vec<Id> = plan.marks.iter().filter(|(_, _, new)| *new == status).map(|(id, ..)| *id).collect();
        for chunk in ids.chunks(AT_ONCE) {
            let change = (
                bookings::status.eq(status),
                bookings::version.eq(bookings::version + 1),
                bookings::updated_at.eq(now),
            );
            diesel::update(bookings::table.filter(bookings::id.eq_any(chunk))).set(change).execute(conn)?;
        }
    }
    Ok(())
}

fn change_walk_ins(conn: &mut Conn, session_id: Id, plan: &Plan, now: Timestamp) -> Result<()> {
    for chunk in plan.gone.chunks(AT_ONCE) {
        let gone =
            walk_ins::table.filter(walk_ins::session_id.eq(session_id)).filter(walk_ins::member_id.eq_any(chunk));
        diesel::delete(gone).execute(conn)?;
    }
    let row = |member: &Id| WalkInRow { session_id, member_id: *member, created_at: now };
    insert_walk_ins(conn, &plan.came.iter().map(row).collect::<Vec<_>>())
}

/// Adds walk-ins.
pub(crate) fn insert_walk_ins(conn: &mut Conn, rows: &[WalkInRow]) -> Result<()> {
    Ok(insert_many!(conn, walk_ins::table, rows)?)
}
