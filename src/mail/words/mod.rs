//! The words of mails and messages, one file a language.

pub mod en;
