//! Who a caller is and what they may do: accounts and API clients, passwords, access tokens, policies. None of it knows
//! HTTP: a request's caller is taken by `http::allowed`, and logging in is `login`.
//!
//! A token says who somebody is for fifteen minutes; whether they still may is looked up at each request, so that
//! disabling an account holds at once. Refresh tokens, rotation of keys and throttling have their place here.

pub mod caller;
mod keys;
pub mod password;
pub mod policy;
pub mod reach;
pub mod secret;
pub mod store;
pub mod token;
pub mod viewer;
