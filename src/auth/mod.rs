//! Who a caller is and what they may do: accounts and API clients, passwords, access tokens, policies.
//!
//! This module doesn't know HTTP: `http::allowed` finds the caller of a request, and `login` handles logging in.
//!
//! A token lasts fifteen minutes. Each request looks the account up again, so disabling an account works at once.

pub mod caller;
mod keys;
pub mod password;
pub mod policy;
pub mod reach;
pub mod right;
pub mod secret;
pub mod store;
pub mod token;
pub mod viewer;
