//! Who a caller is and what they may do: accounts and API clients, passwords, access tokens, policies.
//!
//! This module doesn't know HTTP: `http::allowed` finds the caller of a request, and `login` handles logging in.
//!
//! A token lasts fifteen minutes. Each request looks the account and its login up again, so disabling an account and
//! logging out work at once.

pub mod caller;
pub mod key_files;
mod keys;
pub mod links;
pub mod logins;
pub mod password;
pub mod password_rules;
pub mod policy;
pub mod reach;
pub mod right;
pub mod secret;
pub mod signing_keys;
pub mod store;
pub mod throttle;
pub mod token;
pub mod viewer;
