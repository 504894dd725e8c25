//! What is decided about safeguarding flags without a database.

use chrono::NaiveDate;

use super::types::SafeguardingInput;
use crate::error::{Error, Fault, Result};

/// The day on which a new flag was raised.
///
/// # Errors
/// 422 if it was raised in the future, or is to be looked at again before it was raised.
pub fn raised_on(written: &SafeguardingInput, today: NaiveDate) -> Result<NaiveDate> {
    let raised_on = written.raised_on.unwrap_or(today);
    let mut faults = Vec::new();
    if raised_on > today {
        faults.push(Fault::at("/raised_on", "in_the_future", "Must not be in the future."));
    }
    faults.extend(too_early(written.review_on, raised_on));
    Error::unless_none(faults)?;
    Ok(raised_on)
}

/// The fault of a review before the day on which the flag was raised.
pub fn too_early(review_on: NaiveDate, raised_on: NaiveDate) -> Option<Fault> {
    let detail = "Must not be before the flag was raised.";
    (review_on < raised_on).then(|| Fault::at("/review_on", "too_early", detail))
}
