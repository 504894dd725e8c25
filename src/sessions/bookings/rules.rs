//! What may be booked, offered and cancelled, decided without a database.

use chrono::TimeDelta;

use super::seats::SessionFacts;
use super::types::{BookingStatus, SeatDelivery};
use crate::config::OfferHours;
use crate::db::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::sessions::types::{BookingPolicy, Delivery};

/// Letters and digits that can't be taken for one another: no 0, O, 1 or I. Thirty-two, so five bits choose one.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The reference that five random bytes stand for.
pub fn reference(random: [u8; 5]) -> String {
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// The kind of seat that a request means. A request for a hybrid session must say which. Other sessions have one kind,
/// so the request may leave it out. `None` if the request asks for a kind that the session doesn't have, or doesn't say
/// which of a hybrid session's.
pub fn seat(delivery: Delivery, wanted: Option<SeatDelivery>) -> Option<SeatDelivery> {
    let own = match delivery {
        Delivery::Hybrid => return wanted,
        Delivery::Online => SeatDelivery::Online,
        Delivery::InPerson => SeatDelivery::InPerson,
    };
    wanted.is_none_or(|wanted| wanted == own).then_some(own)
}

/// Whether a session takes bookings now.
///
/// # Errors
/// 409 if the session is cancelled, is a drop-in or has started.
pub fn takes_bookings(session: &SessionFacts, now: Timestamp) -> Result<()> {
    if session.is_cancelled() {
        return Err(Error::state("session", "cancelled", "be booked").at_its_end());
    }
    if session.booking_policy == BookingPolicy::DropIn {
        return Err(Error::new(Kind::TakesNoBookings, "It is a drop-in session: no booking is needed, just come."));
    }
    not_started(session.starts_at, now)
}

/// Whether a booking can still be cancelled.
///
/// # Errors
/// 409 if the booking is cancelled already, or the session has started.
pub fn can_be_cancelled(status: BookingStatus, starts_at: Timestamp, now: Timestamp) -> Result<()> {
    if !status.is_live() {
        return Err(Error::state("booking", status, "be cancelled").at_its_end());
    }
    not_started(starts_at, now)
}

fn not_started(starts_at: Timestamp, now: Timestamp) -> Result<()> {
    if starts_at > now {
        return Ok(());
    }
    Err(Error::new(Kind::SessionStarted, format!("The session started at {starts_at}.")))
}

/// The time, and how long an offered seat is held.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Now.
    pub now: Timestamp,
    /// How long an offered seat is held.
    pub hours: OfferHours,
}

impl Terms {
    /// When an offer that is made now expires: at the session's start at the latest.
    pub fn offer_until(self, starts_at: Timestamp) -> Timestamp {
        let within_a_day = starts_at.0 <= self.now.0 + TimeDelta::days(1);
        let hours = if within_a_day { self.hours.late } else { self.hours.usual };
        starts_at.min(Timestamp(self.now.0 + TimeDelta::hours(hours.into())))
    }
}

/// How many parties at the head of a waiting list fit into the seats that are left. The first party that doesn't fit
/// holds up everybody behind it.
pub fn fitting(left: Option<i32>, parties: impl IntoIterator<Item = i32>) -> usize {
    let mut left = left.unwrap_or(i32::MAX);
    let fits = |seats: &i32| {
        left = left.saturating_sub(*seats);
        left >= 0
    };
    parties.into_iter().take_while(fits).count()
}

/// Checks that a booking has an offer that hasn't expired.
///
/// # Errors
/// 409 `offer_expired` if it has expired, also if its seats were offered to others already. 409 with the booking's
/// status if it has no offer.
pub fn check_offer(offer: &Offer, starts_at: Timestamp, now: Timestamp, verb: &str) -> Result<()> {
    match offer.status {
        BookingStatus::Offered => check_in_time(offer, starts_at, now),
        // The booking was ended because its offer expired: its last change came after that time.
        BookingStatus::CancelledByProvider if offer.expires_at.is_some_and(|at| at <= offer.updated_at) => {
            Err(expired(offer))
        }
        status => Err(without_offer(status, starts_at > now, verb)),
    }
}

/// The refusal to accept or decline without an offer. It says what is possible with the booking.
fn without_offer(status: BookingStatus, not_started: bool, verb: &str) -> Error {
    let refused = Error::state("booking", status, &format!("be {verb}"));
    match status {
        BookingStatus::Booked | BookingStatus::Waitlisted if not_started => refused.but("It can be", &["cancelled"]),
        status if status.is_live() => refused,
        _ => refused.at_its_end(),
    }
}

/// What a booking says about an offered seat.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// The status of the booking.
    pub status: BookingStatus,
    /// When the offer expires or expired.
    pub expires_at: Option<Timestamp>,
    /// When the booking last changed.
    pub updated_at: Timestamp,
}

/// Refuses an offer that has expired. It can't be accepted, declined or cancelled, because its seats go to others.
pub fn check_in_time(offer: &Offer, starts_at: Timestamp, now: Timestamp) -> Result<()> {
    let over = starts_at <= now || offer.expires_at.is_some_and(|at| at <= now);
    if offer.status == BookingStatus::Offered && over { Err(expired(offer)) } else { Ok(()) }
}

fn expired(offer: &Offer) -> Error {
    let detail = match offer.expires_at {
        Some(at) => format!(
            "The seat was held until {at} and goes to the next person who waits. Book again to join the waiting list."
        ),
        None => "The seat is no longer held.".to_owned(),
    };
    Error::new(Kind::OfferExpired, detail)
}

/// Checks that a party may join the waiting list. A party that is larger than the session would block the list for
/// good.
///
/// # Errors
/// 409 with the number of seats.
pub fn can_wait(capacity: Option<i32>, seats: i32) -> Result<()> {
    match capacity {
        Some(capacity) if capacity < seats => {
            let detail = format!("The session has {capacity} of these seats in all, and {seats} are wanted.");
            Err(Error::new(Kind::SessionFull, detail))
        }
        _ => Ok(()),
    }
}

/// 409: others wait for this kind of seat, and a new booking must not overtake them.
pub fn waited_for() -> Error {
    Error::new(Kind::SessionFull, "Others are waiting for a seat. Send if_full: wait to wait behind them.")
}

/// 409: too few seats are left.
pub fn full(session: &SessionFacts, seat: SeatDelivery, wanted: i32) -> Error {
    let left = session.seats_left(seat).unwrap_or_default().max(0);
    let detail = match (left, wanted) {
        (0, _) => "No seats are left.".to_owned(),
        (1, wanted) => format!("1 seat is left, and {wanted} are wanted."),
        (left, wanted) => format!("{left} seats are left, and {wanted} are wanted."),
    };
    Error::new(Kind::SessionFull, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_five_characters_that_look_unlike_each_other() {
        assert_eq!(reference([0, 31, 32, 8, 255]), "2Z2AZ");
        for byte in 0..=255 {
            assert!(!reference([byte; 5]).contains(['0', 'O', '1', 'I']));
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse().unwrap())
    }

    #[test]
    fn parties_fit_whole_and_in_order() {
        assert_eq!(fitting(Some(5), [2, 3, 1]), 2);
        assert_eq!(fitting(Some(4), [2, 3, 1]), 1);
        assert_eq!(fitting(Some(1), [2, 1, 1]), 0);
        assert_eq!(fitting(Some(0), [1]), 0);
        assert_eq!(fitting(Some(-1), [1]), 0);
        assert_eq!(fitting(None, [21; 1000]), 1000);
    }

    #[test]
    fn an_offer_is_kept_a_day_or_two_hours_and_never_beyond_the_start() {
        let until = |now, starts_at| {
            Terms { now: at(now), hours: OfferHours::default() }.offer_until(at(starts_at)).to_string()
        };
        assert_eq!(until("2026-11-23T09:00:00Z", "2026-11-30T13:00:00Z"), "2026-11-24T09:00:00Z");
        assert_eq!(until("2026-11-29T12:59:59Z", "2026-11-30T13:00:00Z"), "2026-11-30T12:59:59Z");
        assert_eq!(until("2026-11-29T13:00:00Z", "2026-11-30T13:00:00Z"), "2026-11-29T15:00:00Z");
        assert_eq!(until("2026-11-30T11:30:00Z", "2026-11-30T13:00:00Z"), "2026-11-30T13:00:00Z");
        // A day is 24 hours, also when the clocks change.
        assert_eq!(until("2027-03-27T12:30:00Z", "2027-03-28T12:30:00Z"), "2027-03-27T14:30:00Z");
    }

    #[test]
    fn an_offer_that_ran_out_says_so_before_and_after_it_is_passed_on() {
        let (expires, starts) = (at("2026-11-24T09:00:00Z"), at("2026-11-30T13:00:00Z"));
        let kind = |status, updated_at, now| {
            let offer = Offer { status, expires_at: Some(expires), updated_at: at(updated_at) };
            check_offer(&offer, starts, at(now), "accepted").map_err(|error| error.kind())
        };
        use BookingStatus::{Booked, CancelledByProvider, Offered};
        let (before, later) = ("2026-11-24T08:59:59Z", "2026-11-24T09:00:00Z");
        assert_eq!(kind(Offered, before, before), Ok(()));
        assert_eq!(kind(Offered, before, later), Err(Kind::OfferExpired));
        assert_eq!(kind(CancelledByProvider, later, later), Err(Kind::OfferExpired));
        assert_eq!(kind(CancelledByProvider, before, later), Err(Kind::InvalidState));
        assert_eq!(kind(Booked, before, before), Err(Kind::InvalidState));
    }

    #[test]
    fn a_hybrid_session_needs_a_choice_of_seat_and_others_take_only_their_own() {
        use SeatDelivery::{InPerson, Online};
        assert_eq!(seat(Delivery::Hybrid, None), None);
        assert_eq!(seat(Delivery::Hybrid, Some(Online)), Some(Online));
        assert_eq!(seat(Delivery::InPerson, None), Some(InPerson));
        assert_eq!(seat(Delivery::InPerson, Some(Online)), None);
        assert_eq!(seat(Delivery::Online, Some(Online)), Some(Online));
        assert_eq!(seat(Delivery::Online, Some(InPerson)), None);
    }
}
