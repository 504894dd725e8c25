//! `life-rooms user`: makes accounts, the first one and those of members, sets passwords, unlocks, disables and enables
//! accounts, [lists](super::user_lists) them and their logins, and ends the logins of all.

use std::io::{IsTerminal, Read};
use std::path::Path;

use clap::{Args, Subcommand};
#[cfg(unix)]
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::{Failure, database, user_lists};
use crate::audit::{self, Event, Subject};
use crate::auth::caller::Role;
use crate::auth::logins::Why;
use crate::auth::throttle::Throttle;
use crate::auth::{password, password_rules, store as accounts};
use crate::clock::Clock;
use crate::config::{LoginLimits, Settings};
use crate::db::{Conn, Db, Id};
use crate::error::{Error, Kind, Result};
use crate::login::restored::end_everybodys;
use crate::text::{email, reading};
use crate::users::store::{self, UserRow};
use crate::users::types::UserInput;

#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account; works before the server's first start and while the server runs
    #[command(
        after_help = "Example:\n  echo 'correct horse battery' | life-rooms user create --email you@example.org \
                            --role admin --password-stdin\n  life-rooms user create --email you@example.org --role admin"
    )]
    Create(Create),
    /// Set an account's password; its tokens end at once
    #[command(after_help = "Example:\n  life-rooms user set-password --email you@example.org --password-stdin \
                            < new-password.txt")]
    SetPassword(Account),
    /// Let the owner of an account log in from anywhere again after many wrong passwords
    #[command(after_help = "Example:\n  life-rooms user unlock you@example.org")]
    Unlock(Named),
    /// Bar an account from logging in, a member's too; its logins and tokens end at once
    #[command(after_help = "Example:\n  life-rooms user disable sam@example.org")]
    Disable(Named),
    /// Let a disabled account log in again, with the password that it had
    #[command(after_help = "Example:\n  life-rooms user enable sam@example.org")]
    Enable(Named),
    /// List the accounts of those who work for the service or a partner, without those of members
    #[command(after_help = "Example:\n  life-rooms user list")]
    List {
        #[command(flatten)]
        settings: Settings,
    },
    /// List the logins of an account that haven't ended; a member reads in their access log that somebody looked
    #[command(after_help = "Example:\n  life-rooms user logins sam@example.org")]
    Logins(Named),
    /// End every login and token of all accounts: after a backup was restored, or when tokens may be in wrong hands
    #[command(after_help = "Example:\n  life-rooms user log-everybody-out")]
    LogEverybodyOut {
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Args)]
pub(super) struct Named {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// The e-mail address of the account
    #[arg(value_parser = email)]
    pub(super) email: String,
}

#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    account: Account,
    /// The name that members see in their access log; an advisor needs one
    #[arg(long, value_name = "NAME", value_parser = display_name)]
    display_name: Option<String>,
    /// What the account is for: admin, advisor, analyst, member or partner
    #[arg(long, value_parser = role)]
    role: Role,
    /// The partner's slug; only with the role partner
    #[arg(long, value_name = "SLUG")]
    partner: Option<String>,
    /// The member's id; only with the role member
    #[arg(long, value_name = "ID", value_parser = id)]
    member: Option<Id>,
}

#[derive(Args)]
pub(super) struct Account {
    #[command(flatten)]
    settings: Settings,
    /// The e-mail address to log in with
    #[arg(long, value_parser = email)]
    email: String,
    /// Read the password from standard input, without its line ending; on a terminal, or without this option, the
    /// command asks for the password and doesn't show it
    #[arg(long)]
    password_stdin: bool,
}

fn email(text: &str) -> Result<String, String> {
    let address = email::read(text).ok_or("must be an e-mail address")?;
    Ok(address.to_lowercase())
}

fn display_name(text: &str) -> Result<String, String> {
    let name = reading::read(text).into_owned();
    match name.chars().count() {
        1..=60 if reading::is_one_line(&name) && !reading::is_blank(&name) => Ok(name),
        _ => Err("must be 1 to 60 characters on one line".into()),
    }
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "must be admin, advisor, analyst, member or partner".into())
}

fn id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|_| "must be a UUID".into())
}

/// Runs a command about accounts.
pub(super) fn run(command: &User) -> Result<(), Failure> {
    match command {
        User::Create(create) => run_create(create),
        User::SetPassword(set) => run_set_password(set),
        User::Unlock(named) => run_unlock(named),
        User::Disable(named) => run_set_disabled(named, true),
        User::Enable(named) => run_set_disabled(named, false),
        User::List { settings } => user_lists::run_list(settings),
        User::Logins(named) => user_lists::run_logins(named),
        User::LogEverybodyOut { settings } => run_log_everybody_out(settings),
    }
}

fn run_create(command: &Create) -> Result<(), Failure> {
    for (role, option, given) in
        [(Role::Partner, "--partner", command.partner.is_some()), (Role::Member, "--member", command.member.is_some())]
    {
        if (command.role == role) != given {
            return Err(Failure::usage(format!("{option} and --role {role} must be given together")));
        }
    }
    if command.role == Role::Advisor && command.display_name.is_none() {
        return Err(Failure::usage("--role advisor needs --display-name: members see it in their access log"));
    }
    let given = password(command.account.password_stdin)?;
    let db = open(&command.account.settings)?;
    check(&db, &given, command.role, &command.account.email, command.member)?;
    let hash = password::hash(&given)?;
    let (clock, role, member_id) = (Clock::system(), command.role, command.member);
    let (email, slug) = (command.account.email.clone(), command.partner.clone());
    let display_name = command.display_name.clone();
    let id = clock.new_id();
    let throttle = known_throttle(&command.account.settings);
    let work = move |conn: &mut Conn| {
        let partner_id = slug.as_deref().map(|slug| find_partner(conn, slug)).transpose()?;
        if let Some(member_id) = member_id
            && !store::member_exists(conn, member_id)?
        {
            return Err(Error::new(Kind::NotFound, format!("There is no member {member_id}.")));
        }
        let (email, display_name) = (email.clone(), display_name.clone());
        let written = UserInput { email, display_name, role, partner_id, disabled: false, permissions: Vec::new() };
        let row = UserRow::new(id, written, member_id, Some(hash.clone()), clock.now());
        store::insert(conn, throttle.as_ref(), &row)?;
        audit::record(conn, &[Event::by_system(&clock, "create", Subject::of_account(id, member_id), &[])])
    };
    run_to_end(db.write(work))?;
    println!("Made the account {id} ({}, {role}).", command.account.email);
    Ok(())
}

fn run_set_password(account: &Account) -> Result<(), Failure> {
    let given = password(account.password_stdin)?;
    let db = open(&account.settings)?;
    let (clock, email) = (Clock::system(), account.email.clone());
    let find = move |conn: &mut Conn| find_account(conn, &email);
    let found = run_to_end(db.read(find.clone()))?;
    check(&db, &given, found.role, &found.email, found.member_id)?;
    let hash = password::hash(&given)?;
    let throttle = known_throttle(&account.settings);
    let is_unlocked = throttle.is_some();
    let work = move |conn: &mut Conn| {
        let account = find(conn)?;
        let subject = account.subject();
        let mut events = vec![Event::by_system(&clock, "change", subject, &["password"])];
        if accounts::set_password(conn, throttle.as_ref(), &account, &hash, clock.now())? {
            events.push(Event::by_system(&clock, "logins_ended", subject, &[Why::Password.into()]));
        }
        audit::record(conn, &events)
    };
    run_to_end(db.write(work))?;
    println!("Set the password of {}; its tokens have ended.", account.email);
    if !is_unlocked {
        println!("Wrong passwords that were given before still count: the server's key folder isn't named.");
    }
    Ok(())
}

/// The throttle of the server, if its keys can be read. Before the first start of the server there are none.
fn known_throttle(settings: &Settings) -> Option<Throttle> {
    settings.key_dir().ok().and_then(|folder| throttle(&folder).ok())
}

/// The throttle of the server whose keys are in this folder.
fn throttle(folder: &Path) -> Result<Throttle, Failure> {
    let known = Throttle::known(folder, LoginLimits::default(), &Clock::system())?;
    known.ok_or_else(|| {
        let folder = folder.display();
        Failure::usage(format!("the folder {folder} holds no throttle.key: name the key folder of the server"))
    })
}

fn run_unlock(command: &Named) -> Result<(), Failure> {
    let (clock, email) = (Clock::system(), command.email.clone());
    let throttle = throttle(&command.settings.key_dir().map_err(Failure::usage)?)?;
    let db = open(&command.settings)?;
    run_to_end(db.write(move |conn| {
        let account = find_account(conn, &email)?;
        throttle.unlock(conn, &email)?;
        audit::record(conn, &[Event::by_system(&clock, "unlock", account.subject(), &[])])
    }))?;
    println!("Unlocked the account of {}.", command.email);
    Ok(())
}

/// Disables an account, or enables it. An account that is so already stays as it is, and nothing is recorded.
fn run_set_disabled(command: &Named, disabled: bool) -> Result<(), Failure> {
    let (clock, email) = (Clock::system(), command.email.clone());
    let db = open(&command.settings)?;
    let changed = run_to_end(db.write(move |conn| {
        let id = find_account(conn, &email)?.id;
        let account = accounts::locked_account(conn, id)?.ok_or_else(|| no_account(&email))?;
        if account.disabled == disabled {
            return Ok(false);
        }
        let mut events = vec![Event::by_system(&clock, "change", account.subject(), &["disabled"])];
        if accounts::set_disabled(conn, id, disabled, clock.now())? {
            events.push(Event::by_system(&clock, "logins_ended", account.subject(), &[Why::Disabled.into()]));
        }
        audit::record(conn, &events)?;
        Ok(true)
    }))?;
    let email = &command.email;
    match (changed, disabled) {
        (true, true) => println!("Disabled the account of {email}; its logins and tokens have ended."),
        (true, false) => println!("Enabled the account of {email}. It logs in with the password that it had."),
        (false, true) => println!("The account of {email} was disabled already."),
        (false, false) => println!("The account of {email} was enabled already."),
    }
    Ok(())
}

fn run_log_everybody_out(settings: &Settings) -> Result<(), Failure> {
    let (clock, db) = (Clock::system(), open(settings)?);
    let end = move |conn: &mut Conn| end_everybodys(conn, "command-line", Why::LogoutAll, clock.now());
    match run_to_end(db.write(end))? {
        0 => println!("Nobody was logged in. Every token has ended."),
        1 => println!("One account was logged in. Its logins have ended, and so has every token."),
        accounts => println!("{accounts} accounts were logged in. Their logins have ended, and so has every token."),
    }
    Ok(())
}

fn no_account(email: &str) -> Error {
    Error::new(Kind::NotFound, format!("There is no account of {email}."))
}

pub(super) fn find_account(conn: &mut Conn, email: &str) -> Result<accounts::Account> {
    let account = accounts::account_by_email(conn, email)?;
    account.ok_or_else(|| no_account(email))
}

fn find_partner(conn: &mut Conn, slug: &str) -> Result<Id> {
    let found = store::partner_by_slug(conn, slug)?;
    found.ok_or_else(|| Error::new(Kind::NotFound, format!("There is no partner with the slug {slug}.")))
}

/// Migrates the database and opens it. The migration lets the command run before the server's first start.
fn open(settings: &Settings) -> Result<Db, Failure> {
    database::open(settings).map(|(db, _)| db)
}

pub(super) fn run_to_end<T>(work: impl Future<Output = Result<T>>) -> Result<T, Failure> {
    Ok(actix_web::rt::System::new().block_on(work)?)
}

/// Refuses a password that is too short for its account, or easily guessed.
fn check(db: &Db, password: &str, role: Role, email: &str, member_id: Option<Id>) -> Result<(), Failure> {
    let email = email.to_owned();
    let known = run_to_end(db.read(move |conn| accounts::known_of(conn, email.clone(), member_id)))?;
    match password_rules::fault(password, role, &known) {
        None => Ok(()),
        Some(fault) => Err(Failure::usage(format!("the password can't be set: {}", fault.detail))),
    }
}

/// Reads the password from standard input, or asks for it on a terminal without showing it.
fn password(from_input: bool) -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        #[cfg(unix)]
        let _hidden = Hidden::begin(&input);
        let first = checked(rpassword::prompt_password("Password: ")?)?;
        let again = rpassword::prompt_password("The same again: ")?;
        return if first == again { Ok(first) } else { Err(Failure::new("the two passwords differ")) };
    }
    match from_input {
        true => read_password(input),
        false => Err(Failure::usage(
            "there is no terminal to ask for the password on: give it on standard input with --password-stdin",
        )),
    }
}

/// Hides what is typed on a terminal until it is dropped: also what is typed before a question stands there, which
/// `rpassword` alone would show.
#[cfg(unix)]
struct Hidden(Termios);

#[cfg(unix)]
impl Hidden {
    /// `None` if the terminal can't be changed.
    fn begin(input: &std::io::Stdin) -> Option<Self> {
        let was = tcgetattr(input).ok()?;
        let mut hidden = was.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(input, SetArg::TCSANOW, &hidden).ok()?;
        Some(Self(was))
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        // If this fails, there is no terminal any more.
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

/// A password without the line ending that `echo` or an editor put after it.
fn read_password(input: impl Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    input.take(1024).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("the password must be UTF-8 text"))?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    checked(line.to_owned())
}

/// A password of one line.
fn checked(line: String) -> Result<String, Failure> {
    if line.contains(['\0', '\n']) {
        return Err(Failure::usage("the password must be one line, without NUL"));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_ending_is_dropped_from_a_password() {
        for (input, password) in [
            ("long enough", "long enough"),
            ("long enough\n", "long enough"),
            ("long enough\r\n", "long enough"),
            (" long enough ", " long enough "),
        ] {
            assert_eq!(read_password(input.as_bytes()).ok().as_deref(), Some(password), "{input:?}");
        }
    }

    #[test]
    fn a_password_of_several_lines_is_refused() {
        for input in ["two lines\nof text", "with a \0 in it"] {
            assert_eq!(read_password(input.as_bytes()).err().map(|failure| failure.code), Some(2), "{input:?}");
        }
    }
}
