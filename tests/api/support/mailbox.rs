//! The mails that a server has sent: it keeps each in a file.

use std::path::{Path, PathBuf};

use life_rooms::background;
use life_rooms::config::{Config, Mail, Sender, Sink};
use life_rooms::tasks;

use super::App;

/// A folder of mails.
pub struct Mailbox(PathBuf);

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A mail.
#[derive(Debug, Clone)]
pub struct Received {
    /// All of it, as it was handed over.
    pub whole: String,
    /// Who it goes to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: String,
}

impl Received {
    /// The secret in its link.
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").unwrap_or_else(|| panic!("no link in {}", self.text));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    fn read(path: &Path) -> Self {
        let whole = std::fs::read_to_string(path).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
        };
        let part = body.split("Content-Type: text/plain").nth(1).expect("a plain part");
        let (part_head, text) = part.split_once("\r\n\r\n").unwrap();
        let text = text.split("\r\n--").next().unwrap();
        let text = if part_head.contains("quoted-printable") { unquoted(text) } else { text.to_owned() };
        Self { to: field("To"), subject: field("Subject"), text, whole }
    }
}

fn unquoted(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend(before.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

impl App {
    /// A server that keeps its mails in a folder.
    pub fn with_mail() -> (Self, Mailbox) {
        Self::with_mail_and(Config::default())
    }

    /// The same with other settings.
    pub fn with_mail_and(config: Config) -> (Self, Mailbox) {
        Self::with_mail_at(10_000, config)
    }

    /// The same, which sends so many mails a minute.
    pub fn with_mail_at(per_minute: u32, config: Config) -> (Self, Mailbox) {
        let folder = std::env::temp_dir().join(format!("life-rooms-mails-{}", uuid::Uuid::new_v4()));
        let sender = |name: &str, address: &str| Sender { name: name.into(), address: address.into() };
        let mail = Mail {
            sink: Sink::Folder(folder.clone()),
            from: sender("Life Rooms", "rooms@example.org"),
            reply_to: sender("", "desk@example.org"),
            per_minute,
        };
        (Self::start_with(Config { mail: Some(mail), ..config }), Mailbox(folder))
    }

    /// Sends what is due now. Whether anything was.
    pub fn send_messages(&self) -> bool {
        let task = tasks::all().into_iter().find(|task| task.name == "messages").expect("the server has the task");
        let run = background::run_if_due(&self.state, task, self.clock.new_id());
        actix_web::rt::System::new().block_on(run).expect("it runs")
    }
}

impl Mailbox {
    /// Sends what is due, and takes out the mails that have come since the last time.
    pub fn take(&self, app: &App) -> Vec<Received> {
        app.send_messages();
        let Ok(files) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let mails = paths.iter().map(|path| Received::read(path)).collect();
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        mails
    }

    /// The same, where one mail must have come.
    pub fn take_one(&self, app: &App) -> Received {
        let mut mails = self.take(app);
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }
}
