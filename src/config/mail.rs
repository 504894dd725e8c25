//! How the service sends e-mail.

use std::path::PathBuf;

use clap::Args;
use url::{Host, Url};

use super::whole;
use crate::text::email;

/// The settings of e-mail.
#[derive(Debug, Clone, Args)]
pub struct MailSettings {
    /// The mail server: smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST:587 (with STARTTLS); or file:FOLDER, which
    /// keeps mails as files; without it no mail is sent
    #[arg(long = "mail-url", env = "LIFE_ROOMS_MAIL_URL", hide_env_values = true)]
    pub mail_url: Option<String>,

    /// The sender of e-mails: an address, or Name <address>
    #[arg(long = "mail-from", env = "LIFE_ROOMS_MAIL_FROM")]
    pub mail_from: Option<String>,

    /// Where answers to e-mails go; a mailbox that somebody reads
    #[arg(long = "mail-reply-to", env = "LIFE_ROOMS_MAIL_REPLY_TO")]
    pub mail_reply_to: Option<String>,

    /// How many e-mails are sent a minute at most
    #[arg(long = "mail-per-minute", env = "LIFE_ROOMS_MAIL_PER_MINUTE", default_value = "60")]
    pub mail_per_minute: String,
}

/// How e-mail is sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Where it goes.
    pub sink: Sink,
    /// Who it comes from.
    pub from: Sender,
    /// Where answers go.
    pub reply_to: Sender,
    /// How many are sent a minute at most.
    pub per_minute: u32,
}

/// A name with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name; empty if there is none.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Where e-mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, each mail a file.
    Folder(PathBuf),
    /// Into the log: what it is about, and its link. For demonstrations, whose people are made up.
    Log,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The name and the password to log in with.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Smtp {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} ({:?})", self.host, self.port, self.tls)
    }
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From its first byte.
    FromTheStart,
    /// After STARTTLS, without which nothing is sent.
    Required,
    /// Not at all: only to this machine.
    Off,
}

impl MailSettings {
    /// How e-mail is sent; `None` if it isn't.
    ///
    /// # Errors
    /// A sentence that names the wrong setting.
    pub fn check(&self) -> Result<Option<Mail>, String> {
        let per_minute = whole("LIFE_ROOMS_MAIL_PER_MINUTE", "e-mails", &self.mail_per_minute, 10_000)?;
        let Some(url) = self.mail_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) else { return Ok(None) };
        let address = |name: &str, value: &Option<String>| match value {
            Some(text) => Sender::read(text).ok_or_else(|| {
                format!("{name} must be an address, or like Life Rooms <rooms@example.org>, not {text:?}")
            }),
            None => Err(format!("{name} must be set where LIFE_ROOMS_MAIL_URL is")),
        };
        Ok(Some(Mail {
            sink: Sink::read(url)?,
            from: address("LIFE_ROOMS_MAIL_FROM", &self.mail_from)?,
            reply_to: address("LIFE_ROOMS_MAIL_REPLY_TO", &self.mail_reply_to)?,
            per_minute,
        }))
    }
}

impl Sender {
    /// Reads `rooms@example.org` or `Life Rooms <rooms@example.org>`.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        let is_plain = !name.contains(|c: char| c.is_control() || c == '"');
        let address = email::read(address).filter(|_| is_plain)?;
        Some(Self { name: name.to_owned(), address })
    }
}

impl Sink {
    /// Reads `LIFE_ROOMS_MAIL_URL`. The URL may hold a password, so no sentence repeats it.
    fn read(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            return Ok(Self::Folder(folder.into()));
        }
        if text == "log" {
            return Ok(Self::Log);
        }
        let wrong = || {
            "LIFE_ROOMS_MAIL_URL must be smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST:587 or file:FOLDER"
                .to_owned()
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = url.host().ok_or_else(wrong)?;
        let tls = match (url.scheme(), url.query()) {
            ("smtps", None) => Tls::FromTheStart,
            ("smtp", None | Some("tls=required")) => Tls::Required,
            ("smtp", Some("tls=off")) => Tls::Off,
            _ => return Err(wrong()),
        };
        if tls == Tls::Off && !is_this_machine(&host) {
            return Err("LIFE_ROOMS_MAIL_URL turns TLS off, which is allowed only to this machine (127.0.0.1)".into());
        }
        let default = if tls == Tls::FromTheStart { 465 } else { 587 };
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(String::from).ok();
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                let password = decoded(password.unwrap_or_default());
                Some(decoded(user).zip(password).ok_or_else(wrong)?)
            }
        };
        // Without the brackets that an address of the sixth version has in a URL: no resolver takes them.
        let host = host.to_string().trim_matches(['[', ']']).to_owned();
        Ok(Self::Smtp(Smtp { host, port: url.port().unwrap_or(default), tls, login }))
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        // A URL of an unknown scheme has its addresses as names.
        Host::Domain(name) => *name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> MailSettings {
        MailSettings {
            mail_url: Some(url.into()),
            mail_from: Some("Life Rooms <rooms@example.org>".into()),
            mail_reply_to: Some("desk@example.org".into()),
            mail_per_minute: "60".into(),
        }
    }

    #[test]
    fn mail_servers_are_read_and_plain_connections_go_to_this_machine_only() {
        let smtp = |url: &str| match settings(url).check().unwrap().unwrap().sink {
            Sink::Smtp(smtp) => (smtp.host, smtp.port, smtp.tls, smtp.login),
            other => panic!("{other:?}"),
        };
        let login = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(
            smtp("smtps://rooms:p%40ss@mail.example.org"),
            ("mail.example.org".into(), 465, Tls::FromTheStart, login("rooms", "p@ss"))
        );
        assert_eq!(
            smtp("smtp://rooms:x@mail.example.org?tls=required"),
            ("mail.example.org".into(), 587, Tls::Required, login("rooms", "x"))
        );
        assert_eq!(smtp("smtp://127.0.0.1:2525?tls=off"), ("127.0.0.1".into(), 2525, Tls::Off, None));
        assert_eq!(settings("file:mails").check().unwrap().unwrap().sink, Sink::Folder("mails".into()));
        for wrong in
            ["smtp://mail.example.org?tls=off", "smtp://mail.example.org?tls=maybe", "http://a", "file:", "mail"]
        {
            let sentence = settings(wrong).check().unwrap_err();
            assert!(sentence.starts_with("LIFE_ROOMS_MAIL_URL"), "{sentence}");
        }
        let secret = settings("smtp://rooms:secret@mail.example.org?tls=off").check().unwrap_err();
        assert!(!secret.contains("secret"), "{secret}");
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let read = |text: &str| Sender::read(text).map(|sender| (sender.name, sender.address));
        let named = |name: &str| Some((name.to_owned(), "rooms@example.org".to_owned()));
        assert_eq!(read("rooms@example.org"), named(""));
        assert_eq!(read("Life Rooms <rooms@Example.org>"), named("Life Rooms"));
        assert_eq!(read("\"Life Rooms, Bootle\" <rooms@example.org>"), named("Life Rooms, Bootle"));
        for wrong in ["", "rooms", "Life <rooms", "A\r\nBcc: b@example.org <rooms@example.org>"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        let unset = MailSettings { mail_from: None, ..settings("file:mails") };
        assert!(unset.check().unwrap_err().starts_with("LIFE_ROOMS_MAIL_FROM"));
        assert!(MailSettings { mail_url: None, ..unset }.check().unwrap().is_none());
    }
}
