//! The settings that bound how much one partner may have.

use clap::Args;

/// How much one partner may have, as it is set. 0 is no quota.
#[derive(Debug, Clone, Copy, Args)]
pub struct QuotaSettings {
    /// How many series a partner may have; 0 for no quota
    #[arg(long, env = "LIFE_ROOMS_SERIES_QUOTA", value_name = "COUNT", default_value = "5000")]
    pub series_quota: u32,

    /// How many sessions to come a partner may have; 0 for no quota
    #[arg(long, env = "LIFE_ROOMS_SESSION_QUOTA", value_name = "COUNT", default_value = "150000")]
    pub session_quota: u32,

    /// How many MiB of text a partner's series and sessions may have; 0 for no quota
    #[arg(long, env = "LIFE_ROOMS_TEXT_QUOTA", value_name = "MIB", default_value = "64")]
    pub text_quota: u32,

    /// How many API clients a partner may have; 0 for no quota
    #[arg(long, env = "LIFE_ROOMS_CLIENT_QUOTA", value_name = "COUNT", default_value = "50")]
    pub client_quota: u32,
}

/// How much one partner may have. `None` is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Series, ended and cancelled ones too.
    pub series: Option<i64>,
    /// Sessions to come, cancelled ones too.
    pub sessions: Option<i64>,
    /// Bytes of the texts of series and sessions.
    pub text: Option<i64>,
    /// API clients that aren't revoked.
    pub clients: Option<i64>,
}

/// How much a member may make with their own login. They aren't settings: nobody who uses the service comes near them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberQuotas {
    /// Drafts of prescriptions that the member wrote. Each can have a hundred thousand characters.
    pub drafts: i64,
    /// Prescriptions that the member wrote, whatever their state.
    pub prescriptions: i64,
    /// Bookings that the login made for one member, of sessions that aren't over, cancelled ones too.
    pub bookings: i64,
    /// Decisions about consents that the login recorded. Withdrawing one is always possible.
    pub consents: i64,
    /// Addresses of the member's calendar, revoked ones too.
    pub calendar_links: i64,
    /// Requests to be erased, those taken back too.
    pub erasures: i64,
}

impl Default for MemberQuotas {
    fn default() -> Self {
        Self { drafts: 20, prescriptions: 100, bookings: 500, consents: 1_000, calendar_links: 200, erasures: 50 }
    }
}

impl QuotaSettings {
    /// The quotas.
    pub fn quotas(self) -> Quotas {
        let some = |most: u32, unit: i64| (most > 0).then_some(i64::from(most) * unit);
        Quotas {
            series: some(self.series_quota, 1),
            sessions: some(self.session_quota, 1),
            text: some(self.text_quota, 1024 * 1024),
            clients: some(self.client_quota, 1),
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        let (series_quota, session_quota, text_quota, client_quota) = (5_000, 150_000, 64, 50);
        QuotaSettings { series_quota, session_quota, text_quota, client_quota }.quotas()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        quotas: QuotaSettings,
    }

    fn quotas(arguments: &[&str]) -> Option<Quotas> {
        let command = Command::try_parse_from([&["serve"], arguments].concat()).ok()?;
        Some(command.quotas.quotas())
    }

    #[test]
    fn a_quota_is_a_count_and_zero_is_none() {
        assert_eq!(quotas(&[]), Some(Quotas::default()));
        let set = quotas(&["--series-quota", "0", "--text-quota", "2", "--client-quota", "3"]);
        let sessions = Quotas::default().sessions;
        assert_eq!(set, Some(Quotas { series: None, sessions, text: Some(2 * 1024 * 1024), clients: Some(3) }));
        for wrong in ["", "-1", "many", "1.5", "4294967296"] {
            assert_eq!(quotas(&["--session-quota", wrong]), None, "{wrong}");
        }
    }
}
