//! Items of a prescription: a series, a session, a programme, a referral to a partner, or plain advice.
//!
//! - Most items: `proposed` → `accepted` → `engaged` → `completed`.
//! - A referral: `requested` → `accepted` | `rejected` (with a reason) → `engaged` → `completed`.
//! - Both can end as `declined`, `disengaged` or `unavailable` from any earlier state ([`rules`]).

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
