//! Rules that a schema can't say, as `validator` wants them.

use std::borrow::Cow;

use validator::ValidationError;

/// A broken rule: a stable code for programs and a sentence for people.
pub fn rule(code: &'static str, message: &'static str) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(Cow::Borrowed(message));
    error
}

/// Says which member a rule of several members points at.
pub fn at(mut error: ValidationError, pointer: &'static str) -> ValidationError {
    error.add_param("pointer".into(), &pointer);
    error
}
