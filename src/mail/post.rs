//! Hands mails to a mail server, a folder or the log.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Protection, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::letter::{Letter, Print};
use crate::config::{Mail, Sender, Sink, Smtp, Tls};
use crate::error::{Error, Result};

/// How long a mail server may take for one step.
const LONGEST: Duration = Duration::from_secs(30);

/// A mail, ready to be sent.
pub struct Outgoing {
    /// Where it goes.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// How it is set.
    pub print: Print,
    /// Its `Message-ID`: the same each time it is sent.
    pub message_id: String,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Sent,
    /// It wasn't taken now, and may be later: the reply's code, or why there was none.
    Later(String),
    /// It will never be taken: the reply's code.
    Refused(String),
}

/// Takes mails.
pub struct Post<'a> {
    mail: &'a Mail,
    transport: Option<SmtpTransport>,
}

impl<'a> Post<'a> {
    /// Where these settings send mails. Nothing is sent yet.
    ///
    /// # Errors
    /// 500 if TLS can't be set up.
    pub fn new(mail: &'a Mail) -> Result<Self> {
        let transport = match &mail.sink {
            Sink::Smtp(smtp) => Some(transport(smtp)?),
            Sink::Folder(_) | Sink::Log => None,
        };
        Ok(Self { mail, transport })
    }

    /// Sends a mail. It takes as long as the mail server does, so it runs away from the threads of requests.
    pub fn send(&self, outgoing: &Outgoing) -> Outcome {
        let message = match self.message(outgoing) {
            Ok(message) => message,
            Err(_) => return Outcome::Refused("bad_address".into()),
        };
        match (&self.mail.sink, &self.transport) {
            (Sink::Smtp(_), Some(transport)) => by_smtp(transport, &message),
            (Sink::Folder(folder), _) => into_folder(folder, outgoing, &message),
            _ => {
                let action = outgoing.letter.action.as_ref().map(|action| action.url.as_str());
                log::info!("mail: {} {}", outgoing.letter.subject, action.unwrap_or_default());
                Outcome::Sent
            }
        }
    }

    fn message(&self, outgoing: &Outgoing) -> Result<Message> {
        let Outgoing { to, letter, print, message_id } = outgoing;
        let message = Message::builder()
            .from(mailbox(&self.mail.from)?)
            .reply_to(mailbox(&self.mail.reply_to)?)
            .to(Mailbox::new(None, to.parse().map_err(Error::internal)?))
            .subject(&letter.subject)
            .message_id(Some(format!("<{message_id}>")))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        let message = match print {
            Print::Plain => message.singlepart(SinglePart::plain(letter.text()?)),
            Print::Normal | Print::Large => {
                message.multipart(MultiPart::alternative_plain_html(letter.text()?, letter.html(*print)?))
            }
        };
        message.map_err(Error::internal)
    }
}

fn mailbox(sender: &Sender) -> Result<Mailbox> {
    let name = Some(sender.name.clone()).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, sender.address.parse().map_err(Error::internal)?))
}

fn transport(smtp: &Smtp) -> Result<SmtpTransport> {
    let parameters = || TlsParameters::new(smtp.host.clone()).map_err(Error::internal);
    let protection = match smtp.tls {
        Tls::FromTheStart => Protection::Wrapper(parameters()?),
        Tls::Required => Protection::Required(parameters()?),
        Tls::Off => Protection::None,
    };
    // Without a pool, because its idle connections break. Each mail has a connection of its own.
    let mut builder =
        SmtpTransport::builder_dangerous(&smtp.host).port(smtp.port).tls(protection).timeout(Some(LONGEST));
    if let Some((user, password)) = &smtp.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

/// The reply's text is left out everywhere: it may hold the address.
fn by_smtp(transport: &SmtpTransport, message: &Message) -> Outcome {
    let Err(error) = transport.send(message) else { return Outcome::Sent };
    let code = error.status().map(|code| code.to_string());
    if error.is_permanent() {
        return Outcome::Refused(code.unwrap_or_else(|| "refused".into()));
    }
    let why = if error.is_timeout() { "timeout" } else { "no_connection" };
    Outcome::Later(code.unwrap_or_else(|| why.into()))
}

fn into_folder(folder: &Path, outgoing: &Outgoing, message: &Message) -> Outcome {
    let name: String = outgoing.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(format!(".{name}")), message.formatted()))
        .and_then(|()| fs::rename(folder.join(format!(".{name}")), folder.join(format!("{name}.eml"))));
    match written {
        Ok(()) => Outcome::Sent,
        Err(error) => Outcome::Later(error.kind().to_string().replace(' ', "_")),
    }
}
