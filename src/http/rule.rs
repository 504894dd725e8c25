//! Helpers for the rules that a schema can't express. The types' `Validate` uses them.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors};

use crate::text::{phone, postcode};

/// A broken rule, with a stable code for programs and a sentence for people.
pub fn rule(code: &'static str, message: &'static str) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(Cow::Borrowed(message));
    error
}

/// Adds the place of a rule about several members, as a JSON pointer relative to the type that has the rule.
pub fn at(mut error: ValidationError, pointer: &str) -> ValidationError {
    error.add_param("pointer".into(), &pointer);
    error
}

/// `Ok` if the rule holds, otherwise an error with this code and message.
pub fn fits(fits: bool, code: &'static str, message: &'static str) -> Result<(), ValidationError> {
    if fits { Ok(()) } else { Err(rule(code, message)) }
}

/// Every rule of a type that is broken.
pub fn all(rules: impl IntoIterator<Item = Result<(), ValidationError>>) -> Result<(), ValidationErrors> {
    let mut errors = ValidationErrors::new();
    rules.into_iter().filter_map(Result::err).for_each(|error| errors.add("__all__", error));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Checks a telephone number.
pub fn is_phone(text: &str) -> Result<(), ValidationError> {
    let good = phone::read(text).is_some();
    fits(good, "wrong_phone", "Must be a telephone number of 7 to 15 digits, such as 0151 496 0123.")
}

/// Checks a UK postcode.
pub fn is_postcode(text: &str) -> Result<(), ValidationError> {
    fits(postcode::read(text).is_some(), "wrong_postcode", "Must be a UK postcode such as L3 8EW.")
}
