//! What may be booked and cancelled, decided without a database.

use super::seats::SessionFacts;
use super::types::{BookingStatus, SeatDelivery};
use crate::db::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::sessions::types::{BookingPolicy, Delivery};

/// Letters and digits that can't be taken for one another: no 0, O, 1 or I. Thirty-two, so five bits choose one.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The reference that five random bytes stand for.
pub fn reference(random: [u8; 5]) -> String {
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// The kind of seat: of a hybrid session the one that was asked for, else the session's own. `None` where another
/// was asked for, or a hybrid session's was not.
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
/// 409 where it is cancelled, is a drop-in, or has started.
pub fn takes_bookings(session: &SessionFacts, now: Timestamp) -> Result<()> {
    if session.is_cancelled() {
        return Err(Error::state("session", "cancelled", "booked"));
    }
    if session.booking_policy == BookingPolicy::DropIn {
        return Err(Error::new(Kind::TakesNoBookings, "It is a drop-in session: no booking is needed, just come."));
    }
    not_started(session.starts_at, now)
}

/// Whether a booking can still be cancelled.
///
/// # Errors
/// 409 where it is cancelled already, or the session has started.
pub fn can_be_cancelled(status: BookingStatus, starts_at: Timestamp, now: Timestamp) -> Result<()> {
    if !status.is_live() {
        return Err(Error::state("booking", status, "cancelled"));
    }
    not_started(starts_at, now)
}

fn not_started(starts_at: Timestamp, now: Timestamp) -> Result<()> {
    if starts_at > now {
        return Ok(());
    }
    Err(Error::new(Kind::SessionStarted, format!("The session started at {starts_at}.")))
}

/// There are not enough seats: 409 that says how many are left.
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
