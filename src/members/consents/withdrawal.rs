//! What a withdrawal leaves as it is: whoever records it learns what is left to be settled.

use diesel::prelude::*;

use super::store::ConsentRow;
use super::types::{BookingLeft, ConsentDecision, ConsentPurpose, RecordedConsent};
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, prescriptions, sessions, wordings};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::members::signatures::Signatures;

/// How many bookings and prescriptions an answer lists at most.
const MOST: i64 = 500;

const NO_SERVICE: &str = "Nothing new is booked, prescribed or sent from now on, and no free place is offered. These \
                          bookings and prescriptions stay until somebody cancels or closes them.";
const NOT_SHARED: &str = "The partner keeps what it has seen. In these sessions it sees references only.";

/// The answer to recording a member's consent, for a caller with this reach.
pub fn recorded(
    conn: &mut Conn,
    (member_id, reach): (Id, Reach),
    row: ConsentRow,
    now: Timestamp,
) -> Result<RecordedConsent> {
    let (notice, bookings, prescriptions) = match (row.purpose, row.decision, row.partner_id) {
        (ConsentPurpose::ServiceDelivery, ConsentDecision::Withdrawn, _) => {
            (Some(NO_SERVICE), bookings_left(conn, member_id, None, now)?, open_prescriptions(conn, member_id)?)
        }
        (ConsentPurpose::ShareWithPartner, ConsentDecision::Withdrawn, Some(partner)) => {
            (Some(NOT_SHARED), bookings_left(conn, member_id, Some(partner), now)?, Vec::new())
        }
        _ => (None, Vec::new(), Vec::new()),
    };
    let signatures = Signatures::of(conn, reach, row.accounts())?;
    Ok(RecordedConsent { consent: row.show(&signatures), notice: notice.map(str::to_owned), bookings, prescriptions })
}

/// The member's bookings in sessions that haven't ended: in all sessions, or in those of a partner.
fn bookings_left(conn: &mut Conn, member_id: Id, of: Option<Id>, now: Timestamp) -> Result<Vec<BookingLeft>> {
    let mut query = bookings::table
        .inner_join(sessions::table.inner_join(wordings::table))
        .filter(bookings::member_id.eq(member_id))
        .filter(bookings::status.eq_any(["booked", "waitlisted", "offered"]))
        .filter(sessions::ends_at.gt(now))
        .order((sessions::starts_at, bookings::id))
        .select((bookings::id, bookings::reference, sessions::id, wordings::title, sessions::starts_at))
        .into_boxed();
    if let Some(partner) = of {
        query = query.filter(sessions::partner_id.eq(partner));
    }
    let rows: Vec<(Id, String, Id, String, Timestamp)> = query.limit(MOST).load(conn)?;
    let left = |(booking_id, reference, session_id, title, starts_at)| BookingLeft {
        booking_id,
        reference,
        session_id,
        title,
        starts_at,
    };
    Ok(rows.into_iter().map(left).collect())
}

/// The member's prescriptions that can still be changed.
fn open_prescriptions(conn: &mut Conn, member_id: Id) -> Result<Vec<Id>> {
    let open = prescriptions::table
        .filter(prescriptions::member_id.eq(member_id))
        .filter(prescriptions::status.eq_any(["draft", "active"]));
    Ok(open.order(prescriptions::id).select(prescriptions::id).limit(MOST).load(conn)?)
}
