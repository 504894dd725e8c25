//! Small helpers for rules that a schema can't say, for the types' `Validate`.

use std::borrow::Cow;

use validator::ValidationError;

use crate::text::reading;

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

/// A person's name is one line, without control characters and marks of direction.
pub fn is_name(text: &str) -> Result<(), ValidationError> {
    fits(reading::is_one_line(text), "not_text", "Must be one line, without control characters and marks of direction.")
}
