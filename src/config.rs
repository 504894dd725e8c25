//! The settings of the server, with their defaults and their checks. Secrets are never printed.

mod limits;
mod logins;
mod mail;
mod quotas;
mod retention;

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::{Datelike, Months, NaiveDate};
use clap::Args;
use url::Url;

use crate::clock::{Timestamp, london_day};
use crate::text::date::full_date;

pub use limits::{Limit, LimitSettings, Limits, LoginLimits};
pub use logins::{Lifetime, LoginSettings, Logins};
pub use mail::{Mail, MailSettings, Sender, Sink, Smtp, Tls};
pub use quotas::{MemberQuotas, QuotaSettings, Quotas};
pub use retention::RetentionYears;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file, by its path.
    Sqlite(String),
    /// A PostgreSQL server, by its URL. The URL may hold a password, so it is never printed.
    Postgres(String),
}

impl Location {
    /// Reads `DATABASE_URL`: `sqlite://life-rooms.db`, `sqlite:///var/lib/x.db`, `postgres://…`.
    ///
    /// # Errors
    /// A sentence for the operator if the URL has another scheme.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            if !cfg!(feature = "postgres-tls") && asks_for_tls(url) {
                return Err("DATABASE_URL asks for TLS, and this binary was built without it: build with \
                            `--features postgres-tls`, or leave sslmode out"
                    .into());
            }
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("DATABASE_URL must be sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME".into())
    }

    /// `sqlite` or `postgres`, for logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// The value of `DATABASE_URL` that names the same database from any folder. Logs may hold it: the word PASSWORD
    /// stands for the password.
    pub fn without_password(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
                format!("sqlite://{}", whole.display())
            }
            Self::Postgres(url) => hide_password(url).unwrap_or_else(|| "postgres://USER:PASSWORD@HOST/NAME".into()),
        }
    }
}

/// A URL without its password. `None` if it can't be read.
fn hide_password(url: &str) -> Option<String> {
    let mut url = url::Url::parse(url).ok()?;
    if url.password().is_some() {
        url.set_password(Some("PASSWORD")).ok()?;
    }
    let is_shown = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).all(|(name, _)| name != "password");
    let shown = url.query().map(|query| query.split('&').filter(is_shown).collect::<Vec<_>>().join("&"));
    url.set_query(shown.as_deref());
    Some(url.into())
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

/// The settings of the database, from the command line and the environment.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The database: sqlite://FILE (an absolute path has three slashes) or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://life-rooms.db", hide_env_values = true)]
    pub database_url: String,

    /// The folder of the signing keys; with SQLite, `<file>.keys` beside the database by default
    #[arg(long, env = "LIFE_ROOMS_KEY_DIR")]
    pub key_dir: Option<PathBuf>,
}

/// The settings of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, env = "LIFE_ROOMS_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,

    /// How many threads answer requests; by default one per core
    #[arg(long, env = "LIFE_ROOMS_WORKERS")]
    pub workers: Option<usize>,

    /// The URL at which clients reach the service; also the issuer of its tokens
    #[arg(long, env = "LIFE_ROOMS_PUBLIC_URL", default_value = "https://life-rooms.invalid")]
    pub public_url: String,

    /// The URL of the front end that links in e-mails lead to; by default the server's own pages
    #[arg(long, env = "LIFE_ROOMS_FRONT_END_URL")]
    pub front_end_url: Option<String>,

    /// Origins that browsers may call from, separated by commas
    #[arg(long, env = "LIFE_ROOMS_ALLOWED_ORIGINS", default_value = "")]
    pub allowed_origins: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub horizon: Horizon,

    /// How many hours an offered seat is kept for a person on the waiting list
    #[arg(long, env = "LIFE_ROOMS_OFFER_HOURS", default_value = "24")]
    pub offer_hours: String,

    /// How many hours an offered seat is kept if the session starts within a day
    #[arg(long, env = "LIFE_ROOMS_LATE_OFFER_HOURS", default_value = "2")]
    pub late_offer_hours: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub logins: LoginSettings,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub mail: MailSettings,

    /// How many bytes a second of a request's body must come; it may be 8 seconds late
    #[arg(long, env = "LIFE_ROOMS_BODY_RATE", default_value = "2000")]
    pub body_rate: String,

    /// The first day of the reports' periods; must be the first day of a month; an admin's own days may be earlier
    #[arg(long, env = "LIFE_ROOMS_REPORTS_SINCE", default_value = "2021-10-01")]
    pub reports_since: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub limits: LimitSettings,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub quotas: QuotaSettings,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take the comment for the help of the command")]
    pub retention: RetentionYears,
}

/// How far ahead the sessions of series without an end are made.
#[derive(Debug, Clone, Copy, Args)]
pub struct Horizon {
    /// How many months ahead the sessions of series without an end are made, from 1 to 60
    #[arg(long = "horizon-months", env = "LIFE_ROOMS_HORIZON_MONTHS", value_name = "MONTHS", default_value = "12")]
    #[arg(value_parser = horizon_months)]
    pub months: u32,
}

impl Horizon {
    /// The last day for which sessions are made at this instant, as a day in London.
    pub fn day(self, now: Timestamp) -> NaiveDate {
        let today = london_day(now);
        today.checked_add_months(Months::new(self.months)).unwrap_or(today)
    }
}

impl Default for Horizon {
    fn default() -> Self {
        Self { months: 12 }
    }
}

/// Reads the horizon. The limit of 60 months keeps a daily series below the most sessions that may be made at once.
fn horizon_months(text: &str) -> Result<u32, String> {
    let months = text.parse().ok().filter(|months| (1..=60).contains(months));
    months.ok_or_else(|| "LIFE_ROOMS_HORIZON_MONTHS must be a whole number of months from 1 to 60".into())
}

/// How many hours an offered seat is kept. An offer always ends when the session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferHours {
    /// The usual time.
    pub usual: u32,
    /// The time if the session starts within a day.
    pub late: u32,
}

impl Default for OfferHours {
    fn default() -> Self {
        Self { usual: 24, late: 2 }
    }
}

/// The checked settings of a running server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The issuer of tokens, without a slash at the end.
    pub public_url: String,
    /// Where the links in e-mails lead, without a slash at the end.
    pub front_end_url: String,
    /// How e-mail is sent; `None` if it isn't.
    pub mail: Option<Mail>,
    /// Origins that browsers may call from.
    pub allowed_origins: Vec<String>,
    /// How far ahead the sessions of series without an end are made.
    pub horizon: Horizon,
    /// How many bytes a second of a request's body must come. One that is later than the allowance is 408.
    pub body_rate: u32,
    /// How late a body may be.
    pub body_allowance: Duration,
    /// The longest pause within a request's body before 408.
    pub body_pause: Duration,
    /// The longest time for a whole body (a roster gets ten times as long) before 408.
    pub body_time: Duration,
    /// How long an offered seat is kept.
    pub offers: OfferHours,
    /// How long people stay logged in.
    pub logins: Logins,
    /// The first day of the reports' periods. It is the first day of a month. An admin's own days may be earlier.
    pub reports_since: NaiveDate,
    /// What one caller, one network or one guesser can ask of the service.
    pub limits: Limits,
    /// How much one partner may have.
    pub quotas: Quotas,
    /// How much a member may make.
    pub member_quotas: MemberQuotas,
    /// For how many years the record of a member is kept that nobody uses.
    pub retention: RetentionYears,
    /// Whether `/examples/` has pages: in the demo.
    pub shows_examples: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "https://life-rooms.invalid".into(),
            front_end_url: "https://life-rooms.invalid".into(),
            mail: None,
            allowed_origins: Vec::new(),
            horizon: Horizon::default(),
            body_rate: 2_000,
            body_allowance: Duration::from_secs(8),
            body_pause: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            offers: OfferHours::default(),
            logins: Logins::default(),
            reports_since: PUBLISHED_SINCE,
            limits: Limits::default(),
            quotas: Quotas::default(),
            member_quotas: MemberQuotas::default(),
            retention: RetentionYears::default(),
            shows_examples: false,
        }
    }
}

/// The default first day of reports: the first day of the figures that the service publishes.
pub const PUBLISHED_SINCE: NaiveDate = match NaiveDate::from_ymd_opt(2021, 10, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

impl Settings {
    /// Where the data is.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn location(&self) -> Result<Location, String> {
        Location::parse(&self.database_url)
    }

    /// The folder of the signing keys.
    ///
    /// # Errors
    /// With PostgreSQL there is no default, because all servers must share the folder.
    pub fn key_dir(&self) -> Result<PathBuf, String> {
        match (&self.key_dir, self.location()?) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Location::Sqlite(path)) => Ok(PathBuf::from(format!("{path}.keys"))),
            (None, Location::Postgres(_)) => {
                Err("LIFE_ROOMS_KEY_DIR must be set with PostgreSQL, to a folder that all servers share".into())
            }
        }
    }
}

impl ServeSettings {
    /// The checked settings.
    ///
    /// # Errors
    /// A sentence that names the wrong setting.
    pub fn check(&self) -> Result<Config, String> {
        let public_url = origin(&self.public_url).ok_or_else(|| {
            format!("LIFE_ROOMS_PUBLIC_URL must be like https://api.example.org, not {:?}", self.public_url)
        })?;
        let front_end_url = match &self.front_end_url {
            Some(url) => front_end(url)?,
            None => public_url.clone(),
        };
        let listed = self.allowed_origins.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let read = |text: &str| {
            origin(text).ok_or_else(|| {
                format!("LIFE_ROOMS_ALLOWED_ORIGINS must list origins like https://example.org, not {text:?}")
            })
        };
        let allowed_origins = listed.map(read).collect::<Result<Vec<_>, _>>()?;
        if self.workers == Some(0) {
            return Err("LIFE_ROOMS_WORKERS must be at least 1".into());
        }
        let offers = OfferHours {
            usual: hours("LIFE_ROOMS_OFFER_HOURS", &self.offer_hours)?,
            late: hours("LIFE_ROOMS_LATE_OFFER_HOURS", &self.late_offer_hours)?,
        };
        Ok(Config {
            public_url,
            front_end_url,
            mail: self.mail.check()?,
            allowed_origins,
            horizon: self.horizon,
            offers,
            logins: self.logins.check()?,
            body_rate: body_rate(&self.body_rate)?,
            reports_since: reports_since(&self.reports_since)?,
            limits: self.limits.check()?,
            quotas: self.quotas.quotas(),
            retention: self.retention,
            ..Config::default()
        })
    }

    /// The address to listen on.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn address(&self) -> Result<SocketAddr, String> {
        use std::net::ToSocketAddrs;
        let wrong = || format!("LIFE_ROOMS_BIND must be like 127.0.0.1:8080, not {:?}", self.bind);
        self.bind.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)
    }
}

/// A whole number of hours, up to two weeks.
fn hours(name: &str, text: &str) -> Result<u32, String> {
    whole(name, "hours", text, 336)
}

/// A whole number of these units, from 1 to `most`.
fn whole<T: FromStr + PartialOrd + Display + From<u8>>(
    name: &str,
    unit: &str,
    text: &str,
    most: T,
) -> Result<T, String> {
    let number = text.trim().parse().ok().filter(|number| *number >= T::from(1) && *number <= most);
    number.ok_or_else(|| format!("{name} must be a whole number of {unit} from 1 to {most}, not {text:?}"))
}

/// Reads the least rate of bodies, in bytes a second.
fn body_rate(text: &str) -> Result<u32, String> {
    let rate = text.trim().parse().ok().filter(|rate| (1..=1_000_000).contains(rate));
    rate.ok_or_else(|| format!("LIFE_ROOMS_BODY_RATE must be a whole number of bytes from 1 to 1000000, not {text:?}"))
}

/// Reads the first day of the reports' periods.
fn reports_since(text: &str) -> Result<NaiveDate, String> {
    // A text such as 2011-12 could be a month or a financial year. From April 2012 on, no text can be both.
    let earliest = NaiveDate::from_ymd_opt(2012, 4, 1).unwrap_or_default();
    let day = full_date(text.trim()).filter(|day: &NaiveDate| day.day() == 1 && *day >= earliest);
    day.ok_or_else(|| {
        format!("LIFE_ROOMS_REPORTS_SINCE must be the first day of a month from 2012-04-01 on, like 2021-10-01, not {text:?}")
    })
}

/// Reads the URL of a front end, which may have a path, and returns it without a slash at the end.
fn front_end(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.filter(|url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
    let wrong = || format!("LIFE_ROOMS_FRONT_END_URL must be like https://rooms.example.org/app, not {text:?}");
    Ok(url.ok_or_else(wrong)?.as_str().trim_end_matches('/').to_owned())
}

/// Reads an origin (scheme, host and perhaps a port) and returns it as browsers write it: in lower case, and without
/// the scheme's default port. `None` if the text is anything else.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    // No browser sends a host with a wildcard.
    let named = url.host_str().is_some_and(|host| !host.contains('*'));
    (alone && anonymous && named).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        serve: ServeSettings,
    }

    fn check(arguments: &[&str]) -> Result<Config, String> {
        Command::parse_from([&["serve"], arguments].concat()).serve.check()
    }

    #[test]
    fn origins_are_written_as_browsers_write_them_or_refused() {
        let origins = |listed: &str| check(&["--allowed-origins", listed]).map(|config| config.allowed_origins);
        let listed = "HTTPS://Console.Example.org, https://a.example:443/ ,http://b.example:80,http://[::1]:3000";
        let written = ["https://console.example.org", "https://a.example", "http://b.example", "http://[::1]:3000"];
        assert_eq!(origins(listed).unwrap(), written);
        assert_eq!(origins("https://\u{e4}.example:8443").unwrap(), ["https://xn--4ca.example:8443"]);
        for wrong in [
            "example.org",
            "https://a.example/path",
            "https://u@a.example",
            "*",
            "null",
            "ftp://a.example",
            "https://*.a.example",
        ] {
            assert!(origins(wrong).unwrap_err().starts_with("LIFE_ROOMS_ALLOWED_ORIGINS must list"), "{wrong}");
        }
        assert_eq!(
            check(&["--public-url", "HTTPS://API.example.org:443/"]).unwrap().public_url,
            "https://api.example.org"
        );
        assert!(check(&["--public-url", "https://api.example.org/v1"]).is_err());
    }

    #[test]
    fn figures_begin_on_the_first_day_of_a_month() {
        assert_eq!(check(&[]).unwrap().reports_since, PUBLISHED_SINCE);
        let set = check(&["--reports-since", "2016-05-01"]).unwrap().reports_since;
        assert_eq!(set.to_string(), "2016-05-01");
        for wrong in ["2021-10-02", "2012-03-01", "2021-10", "October 2021", "", "+2021-10-01"] {
            let told = check(&["--reports-since", wrong]).unwrap_err();
            assert!(told.starts_with("LIFE_ROOMS_REPORTS_SINCE must be the first day of a month"), "{told}");
        }
    }

    #[test]
    fn a_log_names_the_database_without_its_password() {
        for (url, shown) in [
            ("postgres://app@localhost/life_rooms", "postgres://app@localhost/life_rooms"),
            ("postgres://app:s3cret@db:5433/life_rooms", "postgres://app:PASSWORD@db:5433/life_rooms"),
            ("postgres://app:s3%40cret@db/x?sslmode=disable", "postgres://app:PASSWORD@db/x?sslmode=disable"),
            (
                "postgres://db/x?user=app&password=s3cret&connect_timeout=3",
                "postgres://db/x?user=app&connect_timeout=3",
            ),
            ("postgres://one,two:5433:s3cret/x", "postgres://USER:PASSWORD@HOST/NAME"),
            ("sqlite:///var/lib/rooms.db", "sqlite:///var/lib/rooms.db"),
        ] {
            assert_eq!(Location::parse(url).unwrap().without_password(), shown);
        }
        let near = Location::parse("sqlite://rooms.db").unwrap().without_password();
        assert!(near.starts_with("sqlite:///") && near.ends_with("/rooms.db"), "{near}");
    }

    #[test]
    fn hours_of_offers_have_defaults_and_a_sentence_for_what_they_can_not_be() {
        assert_eq!(check(&[]).unwrap().offers, OfferHours { usual: 24, late: 2 });
        let set = check(&["--offer-hours", "336", "--late-offer-hours", "1"]).unwrap().offers;
        assert_eq!(set, OfferHours { usual: 336, late: 1 });
        for (setting, name) in
            [("--offer-hours", "LIFE_ROOMS_OFFER_HOURS"), ("--late-offer-hours", "LIFE_ROOMS_LATE_OFFER_HOURS")]
        {
            for wrong in ["0", "337", "2.5", "a day", ""] {
                let told = check(&[setting, wrong]).unwrap_err();
                let expected = format!("{name} must be a whole number of hours from 1 to 336, not {wrong:?}");
                assert_eq!(told, expected);
            }
        }
    }
}
