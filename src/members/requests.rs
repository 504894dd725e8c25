//! What is asked about a whole record and isn't settled: to be forgotten, or to see everything that is kept. Two records can't
//! be merged meanwhile.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::clock::months_later;
use crate::db::schema::{erasures, exports};
use crate::db::{Conn, Id};
use crate::error::Result;

/// The states of a request to be forgotten that isn't settled.
pub const OPEN_ERASURE: [&str; 2] = ["requested", "held"];
/// The states of an export that isn't answered.
pub const OPEN_EXPORT: [&str; 2] = ["queued", "in_review"];

/// Within how many months a request is to be answered.
pub const MONTHS: u32 = 1;

/// The last day on which to answer a request: the same day so many months later, or the last day of that month if it has
/// no such day. A day at the weekend becomes the Monday after. Bank holidays aren't known here.
///
/// Sources: ICO, "How long do we have to comply?" (right of access), and "Right to erasure".
pub fn due_on(received_on: NaiveDate, months: u32) -> NaiveDate {
    months_later(received_on, months).unwrap_or(received_on)
}

/// The requests of these members to be forgotten that aren't settled.
pub fn open_erasures(conn: &mut Conn, members: &[Id]) -> Result<Vec<Id>> {
    use erasures::{id, member_id, status};
    let open = erasures::table.filter(member_id.eq_any(members)).filter(status.eq_any(OPEN_ERASURE));
    Ok(open.order(id).select(id).load(conn)?)
}

/// The exports of these members that aren't answered, each with its member.
pub fn open_exports(conn: &mut Conn, members: &[Id]) -> Result<Vec<(Id, Id)>> {
    use exports::{id, member_id, status};
    let open = exports::table.filter(member_id.eq_any(members)).filter(status.eq_any(OPEN_EXPORT));
    Ok(open.order(id).select((id, member_id)).load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_is_due_on_the_same_day_of_a_later_month_and_never_at_a_weekend() {
        for (received, months, due) in [
            ("2026-11-23", 1, "2026-12-23"),
            // Saturday, Sunday.
            ("2026-11-19", 1, "2026-12-21"),
            ("2026-11-20", 1, "2026-12-21"),
            ("2026-11-21", 1, "2026-12-21"),
            // Months without such a day.
            ("2025-01-31", 1, "2025-02-28"),
            ("2027-01-31", 1, "2027-03-01"),
            ("2028-01-31", 1, "2028-02-29"),
            ("2028-01-29", 1, "2028-02-29"),
            ("2027-03-31", 1, "2027-04-30"),
            ("2027-08-31", 1, "2027-09-30"),
            // From a leap day.
            ("2028-02-29", 1, "2028-03-29"),
            // Over the end of a year.
            ("2026-12-31", 1, "2027-02-01"),
            ("2026-12-30", 1, "2027-02-01"),
            ("2026-11-23", 3, "2027-02-23"),
            ("2026-11-30", 3, "2027-03-01"),
            ("2027-11-30", 3, "2028-02-29"),
        ] {
            assert_eq!(due_on(day(received), months), day(due), "{received} + {months}");
        }
        assert_eq!(due_on(NaiveDate::MAX, 1), NaiveDate::MAX);
    }
}
