//! Quotas: how much a member may make with their own login, for themself or for somebody they care for.
//!
//! - The quotas stop a login that makes without end what is kept without end. They are far above what anybody needs.
//!   Advisors have none.
//! - What a member withdraws or deletes is never refused.
//! - Each is counted in the transaction that has written the new row, and in which the member is locked: so two requests at
//!   once can't both take what is left.
//! - Exports, logins and the links in e-mails are bounded where they are made.

use diesel::prelude::*;

use crate::db::schema::{bookings, calendar_links, consents, erasures, prescriptions, sessions};
use crate::db::{Conn, Id};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::context::Context;

/// What a member has just written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A prescription of their own.
    Prescription,
    /// A booking, of their own or for somebody they care for.
    Booking,
    /// A consent that they give.
    Consent,
    /// An address of their calendar.
    CalendarLink,
    /// A request to be erased.
    Erasure,
}

/// Checks that a member may have one more of what the caller has just written for them. The member must be locked. Callers
/// who aren't members may.
///
/// # Errors
/// 409 `quota-exceeded` with the figures.
pub fn check(conn: &mut Conn, context: &Context, member_id: Id, written: Written) -> Result<()> {
    let caller = context.caller()?;
    if caller.member_id.is_none() {
        return Ok(());
    }
    let (most, by) = (context.state().config.member_quotas, caller.id);
    match written {
        Written::Prescription => {
            let own = prescriptions::table.filter(prescriptions::member_id.eq(member_id));
            let own = own.filter(prescriptions::advisor_id.is_null()).filter(prescriptions::origin.eq("self"));
            let drafts = own.filter(prescriptions::status.eq("draft")).count().get_result(conn)?;
            within(drafts, most.drafts, "too_many_drafts", "drafts of prescriptions")?;
            let all = own.count().get_result(conn)?;
            within(all, most.prescriptions, "too_many_prescriptions", "prescriptions that you wrote")
        }
        Written::Booking => {
            let to_come = bookings::table.inner_join(sessions::table).filter(sessions::ends_at.gt(context.now()));
            let own = to_come.filter(bookings::member_id.eq(member_id)).filter(bookings::booked_by.eq(by));
            let what = "bookings of sessions to come, cancelled ones too";
            within(own.count().get_result(conn)?, most.bookings, "too_many_bookings", what)
        }
        Written::Consent => {
            let own = consents::table.filter(consents::member_id.eq(member_id)).filter(consents::recorded_by.eq(by));
            within(own.count().get_result(conn)?, most.consents, "too_many_consents", "decisions that you recorded")
        }
        Written::CalendarLink => {
            let own = calendar_links::table.filter(calendar_links::member_id.eq(member_id));
            let what = "addresses of your calendar, revoked ones too";
            within(own.count().get_result(conn)?, most.calendar_links, "too_many_calendar_links", what)
        }
        Written::Erasure => {
            let own = erasures::table.filter(erasures::member_id.eq(member_id)).filter(erasures::asked_by.eq(by));
            let what = "requests to be erased, those taken back too";
            within(own.count().get_result(conn)?, most.erasures, "too_many_erasures", what)
        }
    }
}

/// Checks a count that has the new one in it.
fn within(count: i64, most: i64, code: &'static str, what: &str) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    let told = format!("You have {} {what}, this would add 1, and the most is {most}.", count - 1);
    let detail = format!("{told} Nothing was changed. Ask an advisor if you need more.");
    Err(Error::new(Kind::QuotaExceeded, detail).with(Fault::at("", code, told)))
}
