//! The settings of logins.

use clap::Args;

use super::whole;

/// How long people stay logged in, as it is set.
#[derive(Debug, Clone, Args)]
pub struct LoginSettings {
    /// How many hours an account stays logged in without being used; members' accounts have their own setting
    #[arg(long, env = "LIFE_ROOMS_LOGIN_IDLE_HOURS", value_name = "HOURS", default_value = "2")]
    pub login_idle_hours: String,

    /// How many hours an account stays logged in at most
    #[arg(long, env = "LIFE_ROOMS_LOGIN_HOURS", value_name = "HOURS", default_value = "12")]
    pub login_hours: String,

    /// How many days a member's account stays logged in without being used
    #[arg(long, env = "LIFE_ROOMS_MEMBER_LOGIN_IDLE_DAYS", value_name = "DAYS", default_value = "30")]
    pub member_login_idle_days: String,

    /// How many days a member's account stays logged in at most
    #[arg(long, env = "LIFE_ROOMS_MEMBER_LOGIN_DAYS", value_name = "DAYS", default_value = "90")]
    pub member_login_days: String,
}

impl LoginSettings {
    pub(super) fn check(&self) -> Result<Logins, String> {
        let hours = |name, text| whole(name, "hours", text, 336).map(|hours| hours * 3600);
        let days = |name, text| whole(name, "days", text, 365).map(|days| days * 24 * 3600);
        let others = Lifetime {
            idle: hours("LIFE_ROOMS_LOGIN_IDLE_HOURS", &self.login_idle_hours)?,
            longest: hours("LIFE_ROOMS_LOGIN_HOURS", &self.login_hours)?,
        };
        let members = Lifetime {
            idle: days("LIFE_ROOMS_MEMBER_LOGIN_IDLE_DAYS", &self.member_login_idle_days)?,
            longest: days("LIFE_ROOMS_MEMBER_LOGIN_DAYS", &self.member_login_days)?,
        };
        Ok(Logins { members, others })
    }
}

/// How long a login lasts, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// How long without being used.
    pub idle: i64,
    /// How long at most.
    pub longest: i64,
}

/// How long people stay logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logins {
    /// Members, on their own devices.
    pub members: Lifetime,
    /// Everybody else, who sees the records of others or changes what all see.
    pub others: Lifetime,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            members: Lifetime { idle: 30 * 24 * 3600, longest: 90 * 24 * 3600 },
            others: Lifetime { idle: 2 * 3600, longest: 12 * 3600 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        logins: LoginSettings,
    }

    fn check(arguments: &[&str]) -> Result<Logins, String> {
        Command::parse_from([&["serve"], arguments].concat()).logins.check()
    }

    #[test]
    fn logins_last_as_long_as_is_set_for_members_and_for_others() {
        assert_eq!(check(&[]).unwrap(), Logins::default());
        let set = check(&["--login-idle-hours", "1", "--login-hours", "8", "--member-login-days", "7"]).unwrap();
        assert_eq!(set.others, Lifetime { idle: 3600, longest: 8 * 3600 });
        assert_eq!(set.members.longest, 7 * 24 * 3600);
        let told = check(&["--login-hours", "0"]).unwrap_err();
        assert_eq!(told, "LIFE_ROOMS_LOGIN_HOURS must be a whole number of hours from 1 to 336, not \"0\"");
        let told = check(&["--member-login-idle-days", "366"]).unwrap_err();
        let expected = "LIFE_ROOMS_MEMBER_LOGIN_IDLE_DAYS must be a whole number of days from 1 to 365, not \"366\"";
        assert_eq!(told, expected);
    }
}
