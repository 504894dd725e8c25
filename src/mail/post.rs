//! Hands mails to a mail server, a folder or the log.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

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
    /// Where mail programs unsubscribe with one click (RFC 8058).
    pub one_click: Option<String>,
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

/// Takes mails. Those of one batch go through one connection.
///
/// It isn't a pool: a connection that waits between batches breaks, and nobody would notice before the next mail.
pub struct Post {
    mail: Arc<Mail>,
    connection: Option<SmtpConnection>,
}

impl Post {
    /// Where these settings send mails. Nothing is sent yet.
    pub fn new(mail: Arc<Mail>) -> Self {
        Self { mail, connection: None }
    }

    /// Sends a mail. It takes as long as the mail server does, so it runs away from the threads of requests.
    pub fn send(&mut self, outgoing: &Outgoing) -> Outcome {
        let message = match self.message(outgoing) {
            Ok(message) => message,
            Err(_) => return Outcome::Refused("bad_address".into()),
        };
        let mail = Arc::clone(&self.mail);
        match &mail.sink {
            Sink::Smtp(server) => self.by_smtp(server, &message).map_or_else(|outcome| outcome, |()| Outcome::Sent),
            Sink::Folder(folder) => into_folder(folder, outgoing, &message),
            Sink::Log => {
                let action = outgoing.letter.action.as_ref().map(|action| action.url.as_str());
                log::info!("mail: {} {}", outgoing.letter.subject, action.unwrap_or_default());
                Outcome::Sent
            }
        }
    }

    /// Takes leave of the mail server. It takes as long as the mail server does.
    pub fn close(mut self) {
        if let Some(mut connection) = self.connection.take() {
            // All mails were taken already.
            let _ = connection.quit();
        }
    }

    /// Through the connection that there is, or else a new one. A failure ends the connection.
    fn by_smtp(&mut self, server: &Smtp, message: &Message) -> Result<(), Outcome> {
        let bytes = message.formatted();
        if let Some(mut connection) = self.connection.take() {
            match connection.send(message.envelope(), &bytes) {
                Ok(_) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                // The mail server has hung up between two mails.
                Err(error) if error.status().is_none() && !error.is_timeout() => {}
                Err(error) => return Err(outcome_of(&error)),
            }
        }
        // Whatever a mail server says before it was given a mail is about us, and not about the mail: a wrong password, say.
        let mut connection = connect(server).map_err(|error| later(&error))?;
        connection.send(message.envelope(), &bytes).map_err(|error| outcome_of(&error))?;
        self.connection = Some(connection);
        Ok(())
    }

    fn message(&self, outgoing: &Outgoing) -> Result<Message> {
        let Outgoing { to, letter, print, message_id, one_click } = outgoing;
        let raw = |name, value| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let mut message = Message::builder()
            .from(mailbox(&self.mail.from)?)
            .reply_to(mailbox(&self.mail.reply_to)?)
            .to(Mailbox::new(None, to.parse().map_err(Error::internal)?))
            .subject(&letter.subject)
            .message_id(Some(format!("<{message_id}>")))
            .raw_header(raw("Auto-Submitted", "auto-generated".into()));
        if let Some(url) = one_click {
            message = message
                .raw_header(raw("List-Unsubscribe", format!("<{url}>")))
                .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
        }
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

fn connect(server: &Smtp) -> Result<SmtpConnection, smtp::Error> {
    let parameters = match server.tls {
        Tls::FromTheStart | Tls::Required => Some(TlsParameters::new(server.host.clone())?),
        Tls::Off => None,
    };
    let (hello, address) = (ClientId::default(), (server.host.as_str(), server.port));
    let at_once = parameters.as_ref().filter(|_| server.tls == Tls::FromTheStart);
    let mut connection = SmtpConnection::connect(address, Some(LONGEST), &hello, at_once, None)?;
    if let Some(parameters) = parameters.as_ref().filter(|_| server.tls == Tls::Required) {
        connection.starttls(parameters, &hello)?;
    }
    if let Some((user, password)) = &server.login {
        connection.auth(DEFAULT_MECHANISMS, &Credentials::new(user.clone(), password.clone()))?;
    }
    Ok(connection)
}

/// What mail servers answer to who hasn't logged in as they want (RFC 4954, section 6).
const NOT_LOGGED_IN: [&str; 4] = ["530", "534", "535", "538"];

/// The reply's text is left out everywhere: it may hold the address.
fn outcome_of(error: &smtp::Error) -> Outcome {
    let code = error.status().map(|code| code.to_string());
    if error.is_permanent() && !code.as_deref().is_some_and(|code| NOT_LOGGED_IN.contains(&code)) {
        return Outcome::Refused(code.unwrap_or_else(|| "refused".into()));
    }
    later(error)
}

fn later(error: &smtp::Error) -> Outcome {
    let why = if error.is_timeout() { "timeout" } else { "no_connection" };
    Outcome::Later(error.status().map_or_else(|| why.into(), |code| code.to_string()))
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
