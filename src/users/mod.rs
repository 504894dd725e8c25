//! Accounts that log in, each with one role. An account with the role `partner` also has a partner.
//!
//! - Admins see and change all accounts except members' own. A member's account comes from self-registration or
//!   an advisor's invitation, and an admin reads nothing about a person.
//! - An e-mail address is kept in lower case and is unique.
//! - A change of the role, the partner, the e-mail address, `disabled` or the password ends the account's logins and
//!   tokens at once.
//! - There is always at least one enabled admin.

pub mod handlers;
pub mod store;
pub mod types;

crate::routes! {
    handlers: list_users, get_user, create_user, change_user, end_user_logins
}
