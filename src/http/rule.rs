//! Small helpers for rules that a schema can't say, for the types' `Validate`.

use std::borrow::Cow;

use validator::ValidationError;

/// A broken rule: a stable code for programs, a sentence for people.
pub fn rule(code: &'static str, message: &'static str) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(Cow::Borrowed(message));
    error
}

/// Where a rule of several members belongs, as a pointer below the type it was checked on.
pub fn at(mut error: ValidationError, pointer: &'static str) -> ValidationError {
    error.add_param("pointer".into(), &pointer);
    error
}

/// Nothing wrong where the text fits.
pub fn fits(fits: bool, code: &'static str, message: &'static str) -> Result<(), ValidationError> {
    if fits { Ok(()) } else { Err(rule(code, message)) }
}

/// White space alone is no text.
pub fn not_blank(text: &str) -> Result<(), ValidationError> {
    fits(!text.trim().is_empty(), "blank", "Must hold more than white space.")
}
