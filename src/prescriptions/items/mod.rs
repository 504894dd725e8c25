//! Items of a prescription: a series, a session, a programme, a referral to a partner, or plain advice.
//!
//! `proposed` → `accepted` → `engaged` → `completed`; a referral `requested` → `accepted` | `rejected` (with a reason)
//! → `engaged` → `completed`; either ends as `declined`, `disengaged` or `unavailable` from any state before ([`rules`]).

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
