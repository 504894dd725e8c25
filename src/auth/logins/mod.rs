//! Logins: the devices on which an account is signed in, and their refresh tokens.
//!
//! - A login has one row and one family of refresh tokens. Each refresh gives the next token of the family.
//! - A token that was used before is a sign of theft, and ends the login. The token just before the newest is taken for
//!   a minute more, because an answer may have been lost: see [`rules`].
//! - A request's access token names its login. When the login ends, the access token ends with it.

pub mod rules;
pub mod store;
pub mod token;

use crate::config::{Config, Lifetime};

use super::caller::Role;

/// How many logins an account can have at a time. One more ends the one that was used longest ago.
pub const MOST: usize = 10;

crate::text_enum! {
    /// Why a login ended.
    pub enum Why {
        /// Its own device logged out, or the account ended this one login.
        Logout,
        /// The account or an admin ended all logins.
        LogoutAll,
        /// A refresh token was used that had been used before.
        Reuse,
        /// The password was changed.
        Password,
        /// The e-mail address was changed.
        Email,
        /// The account was disabled.
        Disabled,
        /// The role or the partner was changed.
        Changed,
        /// Another login took its place.
        Evicted,
        /// It wasn't used for too long, or it is too old.
        Expired,
    }
}

/// How long a login of this role lasts.
pub fn lifetime(config: &Config, role: Role) -> Lifetime {
    match role {
        Role::Member => config.logins.members,
        Role::Admin | Role::Advisor | Role::Analyst | Role::Partner => config.logins.others,
    }
}
