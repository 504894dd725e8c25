//! The settings that bound what one caller, one network or one guesser can ask of the service.

use clap::Args;
use ipnet::IpNet;

use crate::text::network::read_range;

/// So many requests at once, and so many again over each following stretch of time, evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many; 0 turns the limit off.
    pub count: u32,
    /// The stretch of time, in seconds.
    pub seconds: u32,
}

impl Limit {
    /// A limit.
    pub const fn new(count: u32, seconds: u32) -> Self {
        Self { count, seconds }
    }

    /// No limit.
    pub const OFF: Self = Self::new(0, 1);

    /// Whether there is no limit.
    pub fn is_off(self) -> bool {
        self.count == 0
    }
}

/// Reads a limit: `0`, or a count and a number of seconds such as `20/18000`.
fn limit(text: &str) -> Result<Limit, String> {
    if text.trim() == "0" {
        return Ok(Limit::OFF);
    }
    let read = || {
        let (count, seconds) = text.trim().split_once('/')?;
        let count = count.parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
        let seconds = seconds.parse().ok().filter(|seconds| (1..=2_592_000).contains(seconds))?;
        Some(Limit::new(count, seconds))
    };
    let wrong = "must be COUNT/SECONDS, like 20/18000 (up to 1000000 in up to 2592000 seconds), or 0 for no limit";
    read().ok_or_else(|| wrong.into())
}

/// The settings of limits, from the command line and the environment.
#[derive(Debug, Clone, Args)]
pub struct LimitSettings {
    /// Proxies whose X-Forwarded-For is believed: addresses or ranges such as 10.0.0.0/8, separated by commas
    #[arg(long, env = "LIFE_ROOMS_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: String,

    /// Requests of one login or API client: COUNT/SECONDS, or 0 for no limit
    #[arg(long, env = "LIFE_ROOMS_CALLER_LIMIT", value_name = "LIMIT", default_value = "6000/60", value_parser = limit)]
    pub caller_limit: Limit,

    /// Requests without a token from one network: COUNT/SECONDS, or 0 for no limit
    #[arg(long, env = "LIFE_ROOMS_NETWORK_LIMIT", value_name = "LIMIT", default_value = "6000/60", value_parser = limit)]
    pub network_limit: Limit,

    /// Connections that one network may have open, apart from trusted proxies; 0 for no limit
    #[arg(long, env = "LIFE_ROOMS_NETWORK_CONNECTIONS", value_name = "COUNT", default_value = "1024")]
    pub network_connections: usize,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub login: LoginLimits,
}

/// The limits of logging in. Only the first counts right passwords too.
#[derive(Debug, Clone, Copy, Args)]
pub struct LoginLimits {
    /// Logins of any kind from one network, for each server: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "login-flood-limit", env = "LIFE_ROOMS_LOGIN_FLOOD_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "25/5", value_parser = limit)]
    pub flood: Limit,

    /// Wrong passwords for one e-mail address from one network: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "login-limit", env = "LIFE_ROOMS_LOGIN_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "5/300", value_parser = limit)]
    pub pair: Limit,

    /// The same over a longer time: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "login-day-limit", env = "LIFE_ROOMS_LOGIN_DAY_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "15/86400", value_parser = limit)]
    pub pair_day: Limit,

    /// Wrong passwords for one e-mail address from all networks that it hasn't logged in from: COUNT/SECONDS, or 0 for
    /// no limit
    #[arg(long = "login-account-limit", env = "LIFE_ROOMS_LOGIN_ACCOUNT_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "20/18000", value_parser = limit)]
    pub account: Limit,

    /// Wrong passwords, or wrong secrets of API clients, from one network: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "login-network-limit", env = "LIFE_ROOMS_LOGIN_NETWORK_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "30/600", value_parser = limit)]
    pub network: Limit,

    /// E-mails that strangers ask for to one address: COUNT/SECONDS, or 0 for no limit. Beyond it, nothing is sent
    #[arg(long = "mail-address-limit", env = "LIFE_ROOMS_MAIL_ADDRESS_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "3/3600", value_parser = limit)]
    pub mail_address: Limit,

    /// E-mails that strangers ask for from one network, or one account for itself: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "mail-network-limit", env = "LIFE_ROOMS_MAIL_NETWORK_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "30/3600", value_parser = limit)]
    pub mail_network: Limit,

    /// Links that don't work from one network: COUNT/SECONDS, or 0 for no limit
    #[arg(long = "link-limit", env = "LIFE_ROOMS_LINK_LIMIT", value_name = "LIMIT")]
    #[arg(default_value = "10/600", value_parser = limit)]
    pub links: Limit,

    /// After so many wrong passwords in a row an account can be used only from networks that it has logged in from, until
    /// it is unlocked; 0 for never
    #[arg(long = "login-lock-after", env = "LIFE_ROOMS_LOGIN_LOCK_AFTER", value_name = "COUNT", default_value = "100")]
    pub lock_after: u32,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            flood: Limit::new(25, 5),
            pair: Limit::new(5, 300),
            pair_day: Limit::new(15, 86_400),
            account: Limit::new(20, 18_000),
            network: Limit::new(30, 600),
            mail_address: Limit::new(3, 3_600),
            mail_network: Limit::new(30, 3_600),
            links: Limit::new(10, 600),
            lock_after: 100,
        }
    }
}

/// The checked limits of a running server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests of one login or API client.
    pub caller: Limit,
    /// Requests without a token from one network.
    pub network: Limit,
    /// Connections that one network may have open; 0 for no limit.
    pub connections: usize,
    /// Logging in.
    pub login: LoginLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            caller: Limit::new(6_000, 60),
            network: Limit::new(6_000, 60),
            connections: 1_024,
            login: LoginLimits::default(),
        }
    }
}

impl LimitSettings {
    /// The checked limits.
    ///
    /// # Errors
    /// A sentence that names the wrong setting.
    pub(super) fn check(&self) -> Result<Limits, String> {
        let listed = self.trusted_proxies.split(',').map(str::trim).filter(|range| !range.is_empty());
        let read = |text: &str| {
            read_range(text).ok_or_else(|| {
                format!("LIFE_ROOMS_TRUSTED_PROXIES must list addresses or ranges like 10.0.0.0/8, not {text:?}")
            })
        };
        Ok(Limits {
            trusted_proxies: listed.map(read).collect::<Result<_, _>>()?,
            caller: self.caller_limit,
            network: self.network_limit,
            connections: self.network_connections,
            login: self.login,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        limits: LimitSettings,
    }

    fn check(arguments: &[&str]) -> Result<Limits, String> {
        let command = Command::try_parse_from([&["serve"], arguments].concat()).map_err(|error| error.to_string())?;
        command.limits.check()
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_code() {
        assert_eq!(format!("{:?}", check(&[]).unwrap()), format!("{:?}", Limits::default()));
    }

    #[test]
    fn a_limit_is_a_count_in_a_number_of_seconds_or_off() {
        let caller = |text: &str| check(&["--caller-limit", text]).map(|limits| limits.caller);
        assert_eq!(caller("100/5"), Ok(Limit::new(100, 5)));
        assert!(caller("0").unwrap().is_off());
        for wrong in ["", "5", "0/5", "5/0", "x/5", "5/2592001", "1000001/5", "5/1m", "5/5/5"] {
            assert!(caller(wrong).unwrap_err().contains("must be COUNT/SECONDS"), "{wrong}");
        }
    }

    #[test]
    fn trusted_proxies_are_addresses_and_ranges() {
        let proxies = |text: &str| check(&["--trusted-proxies", text]).map(|limits| limits.trusted_proxies.len());
        assert_eq!(proxies("127.0.0.1, ::1,10.0.0.0/8,"), Ok(3));
        assert!(proxies("nginx").unwrap_err().starts_with("LIFE_ROOMS_TRUSTED_PROXIES must list"));
    }
}
