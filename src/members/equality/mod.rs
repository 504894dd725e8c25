//! Answers for equality monitoring: who the service reaches, and who it doesn't.
//!
//! - The member reads the answers. An advisor can write down what the member tells them, and sees only which questions
//!   are answered. Nobody else sees anything of one person.
//! - `activities_reduced` is asked only of those who have a condition. So an advisor isn't told that it is answered, and
//!   the audit names `long_lasting_condition` in its place.
//! - The answers are in no list, search, register or message.
//! - `null` means that nobody has asked. `prefer_not_to_say` is an answer.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
