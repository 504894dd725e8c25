//! What is decided about erasures without a database.

use chrono::NaiveDate;

use super::types::{ErasureBlocker, ErasureInput};
use crate::error::{Error, Fault, Kind, Result};

/// Why a request is held whose member has an open safeguarding flag.
pub const SEE_THE_LEAD: &str = "See the safeguarding lead.";

/// The day on which an advisor was asked.
///
/// # Errors
/// 422 if it isn't given or is in the future, or if a password is given.
pub fn received_on(written: &ErasureInput, today: NaiveDate) -> Result<NaiveDate> {
    let mut faults = Vec::new();
    if written.current_password.is_some() {
        faults.push(Fault::at("/current_password", "not_allowed", "Only a member gives their password."));
    }
    match written.received_on {
        None => faults.push(Fault::at("/received_on", "required", "Say on which day the member asked.")),
        Some(day) if day > today => {
            faults.push(Fault::at("/received_on", "in_the_future", "Must not be in the future."));
        }
        Some(day) if faults.is_empty() => return Ok(day),
        Some(_) => {}
    }
    Err(Error::invalid(faults))
}

/// The password of a member who asks for themself.
///
/// # Errors
/// 422 if it isn't given, or if a day is given.
pub fn password(written: &ErasureInput) -> Result<String> {
    let mut faults = Vec::new();
    if written.received_on.is_some() {
        faults.push(Fault::at("/received_on", "not_allowed", "Your request counts from today. Leave it out."));
    }
    match &written.current_password {
        None => faults.push(Fault::at("/current_password", "required", "Type the password of your account.")),
        Some(password) if faults.is_empty() => return Ok(password.clone()),
        Some(_) => {}
    }
    Err(Error::invalid(faults))
}

/// The refusal of an erasure that something stands in the way of. `errors` names each thing.
pub fn blocked(blockers: &[ErasureBlocker], held_by_lead: bool) -> Error {
    let fault = |blocker: &ErasureBlocker| match blocker {
        ErasureBlocker::FutureBooking => ("future_booking", "A session to come is booked. Send force: true to cancel."),
        ErasureBlocker::ActivePrescription => {
            ("active_prescription", "A prescription is active. Send force: true to close it.")
        }
        ErasureBlocker::OpenExport => {
            ("open_export", "What is kept about the member was asked for. Answer it first, or send force: true.")
        }
        ErasureBlocker::UndoOpen => {
            ("undo_open", "A merge of the record can still be undone. Send force: true to give that up.")
        }
        ErasureBlocker::Held if held_by_lead => ("held", SEE_THE_LEAD),
        ErasureBlocker::Held => ("held", "The request is held. Resume it first."),
    };
    let detail = "Something stands in the way of erasing this member; see errors. Nothing was changed.";
    let faults = blockers.iter().map(fault).map(|(code, detail)| Fault::at("", code, detail));
    faults.fold(Error::new(Kind::InvalidState, detail), Error::with)
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use crate::db::types::TextEnum;
    use crate::erasures::types::ErasureStatus;
    use crate::members::requests::OPEN_ERASURE;

    #[test]
    fn the_states_of_open_requests_are_states_of_erasures() {
        let open: Vec<ErasureStatus> =
            ErasureStatus::iter().filter(|status| OPEN_ERASURE.contains(&status.name())).collect();
        assert_eq!(open, [ErasureStatus::Requested, ErasureStatus::Held]);
    }
}
