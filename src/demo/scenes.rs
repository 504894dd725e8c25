//! Scenes to look at: a full group with a waiting list, a week that is called off, a member with a plan and bookings.
//!
//! Everything else is written first. The scenes are then made by the functions that answer requests.

use chrono::{Days, NaiveDate, TimeDelta, Weekday};
use diesel::prelude::*;
use serde_json::json;

use super::offers::{CALLED_OFF, FULL, PLANNED};
use super::{MAKER, noon, written};
use crate::auth::reach::Reach;
use crate::clock::{london_day, new_id_at};
use crate::config::OfferHours;
use crate::db::schema::{members, partners, session_series, sessions, sites};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Kind, Result};
use crate::prescriptions::items::store::ItemRow;
use crate::prescriptions::store::{self as prescriptions, PrescriptionRow, Whole};
use crate::prescriptions::types::{PrescriptionInput, PrescriptionStatus};
use crate::sessions::bookings::rules::Terms;
use crate::sessions::bookings::store::{Booker, book};
use crate::sessions::bookings::types::{BookingInput, BookingStatus};
use crate::sessions::store as session_store;
use crate::sessions::types::SessionStatus;

/// How many people wait for a seat in the full group.
const WAITING: usize = 3;
/// How many people had booked a session that is called off.
const DISAPPOINTED: usize = 5;

/// Plays all scenes.
pub(super) fn play(conn: &mut Conn, now: Timestamp) -> Result<()> {
    let everybody: Vec<Id> = members::table.order(members::id).limit(200).select(members::id).load(conn)?;
    // Members are listed by id. The demo's member account belongs to the first.
    let Some((first, others)) = everybody.split_first() else { return Ok(()) };
    fill_a_group(conn, others, now)?;
    call_off_a_week(conn, others, now)?;
    plan_for(conn, *first, now)
}

/// The sessions of a series that are still to come, the next one first.
fn upcoming(conn: &mut Conn, title: &str, now: Timestamp) -> Result<Vec<(Id, Timestamp)>> {
    let named = session_series::table.filter(session_series::title.eq(title)).select(session_series::id);
    let Some(series_id) = named.first::<Id>(conn).optional()? else { return Ok(Vec::new()) };
    let ahead = sessions::table
        .filter(sessions::series_id.eq(series_id))
        .filter(sessions::starts_at.gt(now))
        .filter(sessions::status.eq(SessionStatus::Scheduled));
    Ok(ahead.order(sessions::starts_at).select((sessions::id, sessions::starts_at)).load(conn)?)
}

/// Books a place, or a place on the waiting list if the session is full. `None` if this member has a place already.
fn place(conn: &mut Conn, session_id: Id, wish: serde_json::Value, at: Timestamp) -> Result<Option<BookingStatus>> {
    let wish: BookingInput = written(wish)?;
    let terms = Terms { now: at, hours: OfferHours::default() };
    let by = Booker { reach: Reach::Everyone, account: MAKER, id: new_id_at(at), terms };
    match book(conn, session_id, &wish, by) {
        Ok((booking, ..)) => Ok(Some(booking.status)),
        Err(error) if error.kind() == Kind::AlreadyBooked => Ok(None),
        Err(error) => Err(error),
    }
}

/// Books the next session of a small group for people until the last ones have to wait.
fn fill_a_group(conn: &mut Conn, people: &[Id], now: Timestamp) -> Result<()> {
    let Some((session_id, _)) = upcoming(conn, FULL, now)?.first().copied() else { return Ok(()) };
    let mut waiting = 0;
    for (minutes, member_id) in (0..).zip(people) {
        let at = now.plus_seconds(60 * minutes - 3 * 24 * 3600);
        let wish = json!({ "member_id": member_id, "if_full": "wait" });
        if place(conn, session_id, wish, at)? == Some(BookingStatus::Waitlisted) {
            waiting += 1;
        }
        if waiting == WAITING {
            break;
        }
    }
    Ok(())
}

fn monday_before(at: Timestamp) -> NaiveDate {
    london_day(at).week(Weekday::Mon).first_day()
}

/// Whether the week of a session can be called off: it begins more than seven days from now, and the full group doesn't
/// meet in the same week, because its scene must stay.
fn can_be_called_off(starts_at: Timestamp, full: Option<Timestamp>, now: Timestamp) -> bool {
    let is_later = starts_at.0 > now.0 + TimeDelta::days(7);
    is_later && full.is_none_or(|full| monday_before(full) != monday_before(starts_at))
}

/// Books a session for people, then calls off a week's sessions of its venue, with these bookings.
fn call_off_a_week(conn: &mut Conn, people: &[Id], now: Timestamp) -> Result<()> {
    let full = upcoming(conn, FULL, now)?.first().map(|(_, starts_at)| *starts_at);
    let mut ahead = upcoming(conn, CALLED_OFF, now)?.into_iter();
    let Some((session_id, starts_at)) = ahead.find(|(_, starts_at)| can_be_called_off(*starts_at, full, now)) else {
        return Ok(());
    };
    for member_id in people.iter().take(DISAPPOINTED) {
        place(
            conn,
            session_id,
            json!({ "member_id": member_id, "if_full": "wait" }),
            now.plus_seconds(-2 * 24 * 3600),
        )?;
    }
    let monday = monday_before(starts_at);
    let venue: Option<Id> = sessions::table.find(session_id).select(sessions::venue_id).first(conn)?;
    let week: Vec<Id> = sessions::table
        .filter(sessions::venue_id.eq(venue))
        .filter(sessions::starts_on.between(monday, monday + Days::new(6)))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .order(sessions::id)
        .select(sessions::id)
        .load(conn)?;
    let reason = "The rooms are being painted this week.";
    let yesterday = now.plus_seconds(-24 * 3600);
    for id in &week {
        session_store::cancel(conn, *id, reason, yesterday)?;
    }
    session_store::cancel_bookings(conn, &week, reason, yesterday)?;
    Ok(())
}

/// A member's plan, developed with an advisor five weeks ago in Southport, and the next bookings that follow from it.
fn plan_for(conn: &mut Conn, member_id: Id, now: Timestamp) -> Result<()> {
    let series = session_series::table.filter(session_series::title.eq(PLANNED)).select(session_series::id);
    let site = sites::table.filter(sites::slug.eq("southport")).select(sites::id).first::<Id>(conn).optional()?;
    let partner = partners::table.filter(partners::slug.eq("lantern-advice-example")).select(partners::id);
    let (series, partner) = (series.first::<Id>(conn).optional()?, partner.first::<Id>(conn).optional()?);
    let today = london_day(now);
    let at = noon(today - Days::new(35));
    let plan = json!({
        "member_id": member_id,
        "origin": "advisor",
        "site_id": site,
        "what_matters": "To paint again, to know where I stand with the rent, and to see people in the week.",
        "needs": [
            { "domain": "loneliness", "severity": 4 },
            { "domain": "arts_and_culture", "severity": 2 },
            { "domain": "debt", "severity": 3, "note": "Two months behind with the rent" },
        ],
        "items": [
            { "need": "arts_and_culture", "kind": if series.is_some() { "series" } else { "advice" }, "target_id": series,
              "goal": "Finish one picture and hang it up" },
            { "need": "debt", "kind": if partner.is_some() { "partner" } else { "advice" }, "target_id": partner,
              "goal": "Agree on payments that I can keep up" },
            { "need": "loneliness", "kind": "advice", "note": "Coffee and company on Mondays: no need to book" },
        ],
        "review_on": today + Days::new(14),
    });
    let plan: PrescriptionInput = written(plan)?;
    let row = PrescriptionRow::new(new_id_at(at), &plan, None, at);
    let item = |(position, item)| ItemRow::new(new_id_at(at), row.id, position, item, Reach::Everyone, at);
    let items: Vec<ItemRow> = (0..).zip(&plan.items).map(item).collect();
    let follows = items.first().map(|item| item.id).filter(|_| series.is_some());
    let row = row.moved(PrescriptionStatus::Active, None, london_day(at), at);
    prescriptions::insert(conn, &[Whole { row, needs: plan.needs, items }])?;
    for (session_id, _) in upcoming(conn, PLANNED, now)?.into_iter().take(3) {
        let wish = json!({ "member_id": member_id, "prescription_item_id": follows, "if_full": "wait" });
        place(conn, session_id, wish, now.plus_seconds(-24 * 3600))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{offers, sessions};

    #[test]
    fn on_every_day_a_week_is_called_off_that_the_full_group_does_not_meet_in() {
        let made_up = offers::made_up(crate::demo::day(2100, 1, 1)).unwrap().into_iter();
        let made_up: Vec<_> = made_up.map(|offer| offer.series(None, None, None).unwrap()).collect();
        let starts = |title: &str, now: Timestamp| -> Vec<Timestamp> {
            let mut activities = made_up.iter().map(|series| &series.activity);
            let first = activities.find(|activity| activity.title == title).unwrap().local_start.0.and_utc();
            let all = (0..).map(|number| Timestamp(first + TimeDelta::days(14 * number)));
            let ahead = all.skip_while(|at| *at <= now);
            ahead.take_while(|at| at.0 <= now.0 + TimeDelta::days(sessions::AHEAD.cast_signed())).collect()
        };
        let begin = noon(crate::demo::day(2026, 11, 1));
        for hour in (0..2 * 366 * 24).step_by(5) {
            let now = begin.plus_seconds(hour * 3600);
            let full = starts(FULL, now)[0];
            let week = starts(CALLED_OFF, now).into_iter().find(|at| can_be_called_off(*at, Some(full), now));
            assert!(week.is_some_and(|at| monday_before(at) != monday_before(full)), "{now:?}");
        }
    }
}
