//! The words in English, for a reading age of 9 to 11: short sentences, everyday words, one idea at a time.
//!
//! Subjects say nothing of health, a programme or a partner, because others may see them.

use chrono::{Datelike, NaiveDateTime, Timelike};

use crate::mail::letter::{Action, Letter};
use crate::messages::kinds::MessageKind;
use crate::messages::queue::{Gone, Notice};

/// What every mail ends with.
pub const CLOSING: &str = "Life Rooms. You can answer this e-mail: a person reads it.";

const NOT_YOU: &str = "Was this not you? Then you can ignore this e-mail. Nothing will change.";
const RING: &str = "Was this not you? Then answer this e-mail straight away.";

/// How a mail is worded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// In sentences.
    #[default]
    Usual,
    /// Short, for people who need easy read.
    Easy,
}

/// Whose booking a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The reader's.
    Own,
    /// That of somebody for whom the reader booked, by the name that they go by. `None` where no name is said.
    Another(Option<String>),
}

/// Why a place is gone, in the words of whoever runs the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// They gave none.
    NotGiven,
    /// For whoever wants to read no more in mails than the day and the place.
    NotSaid,
    /// The reason.
    Said(String),
}

/// What a mail says of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it tells.
    pub kind: MessageKind,
    /// What the session is called, for whoever wants to read that in mails.
    pub title: Option<String>,
    /// When the session starts, in London: an online session may have been planned by another clock.
    pub start: NaiveDateTime,
    /// Where it is; `None` online.
    pub place: Option<String>,
    /// Until when a place is kept, in London.
    pub kept_until: Option<NaiveDateTime>,
    /// Why a place is gone in a session that takes place.
    pub gone: Option<Gone>,
    /// Why a place is gone, in the words of whoever runs the session.
    pub reason: Reason,
    /// Whose booking it is.
    pub whose: Whose,
}

fn letter(subject: &str, before: &[&str], action: Option<Action>, after: &[&str]) -> Letter {
    let own = |sentences: &[&str]| sentences.iter().map(|sentence| (*sentence).to_owned()).collect();
    let (before, after) = (own(before), own(after));
    Letter { subject: subject.into(), before, lines: Vec::new(), action, after, unsubscribe: None }
}

/// A mail that carries a link.
pub fn with_link(kind: MessageKind, url: String) -> Option<Letter> {
    let action = |label| Some(Action { label, url: url.clone() });
    Some(match kind {
        MessageKind::Registration => letter(
            "Please confirm your e-mail address",
            &["Hello,", "you asked to join us. Choose a password to finish. This link works for one day."],
            action("Choose a password"),
            &[NOT_YOU],
        ),
        MessageKind::Invitation => letter(
            "Your account is ready",
            &["Hello,", "we made an account for you. Choose a password to start. This link works for 7 days."],
            action("Choose a password"),
            &["Did you not expect this? Then you can ignore this e-mail."],
        ),
        MessageKind::PasswordReset => letter(
            "Choose a new password",
            &["Hello,", "with this link you can choose a new password. It works for one hour."],
            action("Choose a new password"),
            &[NOT_YOU],
        ),
        MessageKind::EmailChange => letter(
            "Please confirm your new e-mail address",
            &["Hello,", "you want to use this address from now on. This link works for one day."],
            action("Confirm this address"),
            &[NOT_YOU],
        ),
        _ => return None,
    })
}

/// A mail about an account, without a link.
pub fn of_account(kind: MessageKind) -> Option<Letter> {
    Some(match kind {
        MessageKind::AlreadyRegistered => letter(
            "You have an account already",
            &[
                "Hello,",
                "somebody asked to join us with this address. You have an account here already.",
                "Did you forget your password? Then choose \"forgotten password\" where you log in.",
            ],
            None,
            &[NOT_YOU],
        ),
        MessageKind::PasswordChanged => letter(
            "Your password was changed",
            &["Hello,", "the password of your account was changed. You need to log in again on all your devices."],
            None,
            &[RING],
        ),
        MessageKind::EmailChanged => letter(
            "Your e-mail address was changed",
            &["Hello,", "your account uses another e-mail address now. We don't write to this one any more."],
            None,
            &[RING],
        ),
        MessageKind::SecurityNotice => notice(Notice::Reuse),
        MessageKind::ErasureDone => letter(
            "Your details were deleted",
            &[
                "Hello,",
                "you asked us to delete your details. We have done it. You can't log in any more.",
                "This is the last e-mail from us. We delete this address too, as soon as this is sent.",
            ],
            None,
            &["Do you have a question? Answer this e-mail."],
        ),
        MessageKind::ExportReady => letter(
            "What you asked for is ready",
            &["Hello,", "you asked what we keep about you. Log in to read it. We keep it for you for 7 days."],
            None,
            &["Did you not ask for this? Then answer this e-mail straight away."],
        ),
        _ => return None,
    })
}

/// A mail that warns the owner of an account.
pub fn notice(notice: Notice) -> Letter {
    let (happened, what_to_do) = match notice {
        Notice::Reuse => (
            "something about your account was unusual, so we logged out one of your devices.",
            "Please log in again. If anything looks wrong, change your password.",
        ),
        Notice::LoggedOut => (
            "somebody who runs this service logged out all your devices.",
            "Please log in again. Your password is the same as before.",
        ),
        Notice::ResetLink => (
            "somebody who runs this service made a link for you to choose a new password.",
            "Did you not ask for this? Then tell us straight away.",
        ),
        Notice::RecordsJoined => (
            "we had two records about you, and made one of them. You see all of it when you log in.",
            "Is something in it not about you? Then tell us straight away.",
        ),
        Notice::AccountClosed => (
            "we had two records about you, and made one of them. It has one account, and that is another one than this. \
             You can't log in with this e-mail address any more.",
            "Do you not know of another account? Then tell us straight away.",
        ),
    };
    let after = ["Do you have a question? Answer this e-mail."];
    letter("Please look at your account", &["Hello,", happened, what_to_do], None, &after)
}

/// A mail about sessions, with this many lines at most.
pub fn of_sessions(lines: &[Line], most: usize, form: Form) -> Option<Letter> {
    let (most, question) = match form {
        Form::Usual => (most, "Do you want to change something? Answer this e-mail."),
        Form::Easy => (most / EASY_LINES, "Do you have a question? Answer this e-mail."),
    };
    let mut letter = letter(&subject(lines)?, &["Hello,"], None, &[question]);
    letter.lines = match form {
        Form::Usual => lines.iter().take(most).map(sentence).collect(),
        Form::Easy => lines.iter().take(most).flat_map(easy).collect(),
    };
    if lines.len() > most {
        letter.lines.push(format!("And {} more. You find all of them in your bookings.", lines.len() - most));
    }
    Some(letter)
}

/// What a mail about sessions is about. `None` if it is about none.
fn subject(lines: &[Line]) -> Option<String> {
    let first = lines.first()?;
    let alike = lines.iter().all(|line| line.kind == first.kind);
    Some(match first.kind {
        MessageKind::Offered if alike => "A place is free".to_owned(),
        MessageKind::OfferExpiring if alike => "A place is kept for you".to_owned(),
        MessageKind::Reminder if alike => format!("Reminder: {}", day(first.start)),
        MessageKind::Booked | MessageKind::Waitlisted if alike && lines.len() == 1 => {
            format!("Your booking on {}", day(first.start))
        }
        _ if lines.len() == 1 => format!("A change to {}", day(first.start)),
        MessageKind::Booked | MessageKind::Waitlisted if alike => "Your bookings".to_owned(),
        _ => "Changes to your bookings".to_owned(),
    })
}

/// How many lines a session has at most in the easy form.
const EASY_LINES: usize = 5;

/// What happened, for people who find reading hard: one fact a line, and nothing else.
fn easy(line: &Line) -> Vec<String> {
    let fact = match line.kind {
        MessageKind::Waitlisted if line.gone.is_some() => {
            "We can't give you the place now. You are on the waiting list again."
        }
        MessageKind::Waitlisted => "You are on the waiting list.",
        MessageKind::BookingCancelled => match line.gone {
            None => "Your booking is cancelled.",
            Some(Gone::NoPlace | Gone::NotNow) => "There is no longer a place for you. We are sorry.",
            Some(Gone::NoBookingNeeded) => "You need no booking any more. Just come.",
        },
        MessageKind::Cancelled => "This is called off.",
        MessageKind::Moved => "The time or the place is new.",
        MessageKind::Offered => "A place is free. Do you want it?",
        MessageKind::OfferExpiring => "We keep a place for you. Do you want it?",
        MessageKind::Reminder => "Remember: you have a place.",
        _ => "You have a place.",
    };
    let title = line.title.as_deref().map(|title| format!(" {title}.")).unwrap_or_default();
    let other = for_whom(&line.whose).map(|whom| format!("{whom}. ")).unwrap_or_default();
    let mut lines = vec![format!("{other}{fact}{title}"), format!("When: {}, {}", day(line.start), time(line.start))];
    if line.kind != MessageKind::BookingCancelled || line.gone == Some(Gone::NoBookingNeeded) {
        lines.push(format!("Where: {}", line.place.as_deref().unwrap_or("online")));
    }
    lines.extend(line.kept_until.map(|until| format!("Tell us before: {}, {}", day(until), time(until))));
    lines.extend(reason(&line.reason));
    lines
}

/// What happened, in one or two sentences.
pub fn sentence(line: &Line) -> String {
    let said = [Some(happened(line)), reason(&line.reason)];
    let said = said.into_iter().flatten().collect::<Vec<_>>().join(" ");
    for_whom(&line.whose).map_or(said.clone(), |whom| format!("{whom}: {said}"))
}

/// For whom a booking is. `None` for the reader's own.
fn for_whom(whose: &Whose) -> Option<String> {
    match whose {
        Whose::Own => None,
        Whose::Another(None) => Some("For somebody you booked for".to_owned()),
        Whose::Another(Some(name)) => Some(format!("For {name}")),
    }
}

fn reason(reason: &Reason) -> Option<String> {
    match reason {
        Reason::NotGiven => None,
        Reason::NotSaid => Some("Your bookings say why.".to_owned()),
        Reason::Said(reason) => Some(format!("The reason: {reason}")),
    }
}

fn happened(line: &Line) -> String {
    let title = line.title.as_deref().map(|title| format!("{title}, ")).unwrap_or_default();
    let when = format!("{title}{}, {}", day(line.start), time(line.start));
    let place = line.place.as_deref().map_or_else(|| "online".to_owned(), |place| format!("at {place}"));
    match line.kind {
        MessageKind::Booked => format!("You have a place: {when}, {place}."),
        MessageKind::Waitlisted if line.gone.is_some() => {
            format!(
                "We can't give you the place now: {when}, {place}. You are on the waiting list again. We write when a place is free."
            )
        }
        MessageKind::Waitlisted => {
            format!("You are on the waiting list: {when}, {place}. We write when a place is free.")
        }
        MessageKind::BookingCancelled => match line.gone {
            None => format!("Your booking is cancelled: {when}."),
            Some(Gone::NoPlace | Gone::NotNow) => {
                format!("There is no longer a place for you: {when}. We are sorry. Ask us what else there is.")
            }
            Some(Gone::NoBookingNeeded) => format!("You don't need a booking any more. Just come: {when}, {place}."),
        },
        MessageKind::Cancelled => format!("This is called off: {when}, {place}. We are sorry."),
        MessageKind::Moved => format!("The time or the place has changed. It is now {when}, {place}."),
        MessageKind::Offered => match line.kept_until {
            Some(until) => format!(
                "A place is free: {when}, {place}. We keep it for you until {}, {}. Say yes or no in your bookings.",
                day(until),
                time(until)
            ),
            None => format!("A place is free: {when}, {place}. Say yes or no in your bookings."),
        },
        MessageKind::OfferExpiring => {
            let before = line.kept_until.map(|until| format!(" before {}, {}", day(until), time(until)));
            let before = before.unwrap_or_default();
            format!("We still keep a place for you: {when}, {place}. Say yes or no in your bookings{before}.")
        }
        MessageKind::Reminder => format!("Please remember your place: {when}, {place}."),
        _ => when,
    }
}

/// What the list of messages says of a message that isn't about a session.
pub fn summary(kind: MessageKind, notice: Option<Notice>) -> &'static str {
    match kind {
        MessageKind::Registration => "You asked to join. We sent a link.",
        MessageKind::AlreadyRegistered => "Somebody asked to join with your address. You have an account already.",
        MessageKind::Invitation => "We made an account for you and sent a link.",
        MessageKind::PasswordReset => "You asked for a new password. We sent a link.",
        MessageKind::EmailChange => "You asked to use another address. We sent a link there.",
        MessageKind::PasswordChanged => "Your password was changed.",
        MessageKind::EmailChanged => "Your e-mail address was changed.",
        MessageKind::ErasureDone => "Your details were deleted.",
        MessageKind::SecurityNotice => match notice.unwrap_or(Notice::Reuse) {
            Notice::Reuse => "Something about your account was unusual, so we logged out a device.",
            Notice::LoggedOut => "All your devices were logged out.",
            Notice::ResetLink => "Somebody who runs this service made a link for you to choose a new password.",
            Notice::RecordsJoined => "We had two records about you, and made one of them.",
            Notice::AccountClosed => {
                "We had two records about you. Your other account goes on, and this one is closed."
            }
        },
        MessageKind::ExportReady => "You asked what we keep about you. It is ready for you to read, for 7 days.",
        _ => "There is news about one of your bookings.",
    }
}

/// Tuesday 5 January 2027.
fn day(at: NaiveDateTime) -> String {
    format!("{} {} {}", at.format("%A"), at.day(), at.format("%B %Y"))
}

/// 10am, 1:30pm.
fn time(at: NaiveDateTime) -> String {
    let (is_pm, hour) = at.hour12();
    let half = if is_pm { "pm" } else { "am" };
    match at.minute() {
        0 => format!("{hour}{half}"),
        minute => format!("{hour}:{minute:02}{half}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn line(kind: MessageKind, start: &str) -> Line {
        Line {
            kind,
            title: None,
            start: at(start),
            place: Some("Central Library, L3 8EW".into()),
            kept_until: None,
            gone: None,
            reason: Reason::NotGiven,
            whose: Whose::Own,
        }
    }

    #[test]
    fn sessions_are_told_by_day_time_and_place() {
        let start = "2027-01-05T10:00:00";
        assert_eq!(
            sentence(&line(MessageKind::Booked, start)),
            "You have a place: Tuesday 5 January 2027, 10am, at Central Library, L3 8EW."
        );
        let named = Line { title: Some("Shared Reading".into()), ..line(MessageKind::BookingCancelled, start) };
        assert_eq!(sentence(&named), "Your booking is cancelled: Shared Reading, Tuesday 5 January 2027, 10am.");
        let online = Line { place: None, ..line(MessageKind::Moved, start) };
        assert_eq!(
            sentence(&online),
            "The time or the place has changed. It is now Tuesday 5 January 2027, 10am, online."
        );
        let midnight = Line { kept_until: Some(at("2027-01-05T00:00:00")), ..line(MessageKind::Offered, start) };
        assert!(sentence(&midnight).contains("until Tuesday 5 January 2027, 12am."), "{}", sentence(&midnight));
    }

    #[test]
    fn the_easy_form_has_one_fact_a_line() {
        let offered = Line {
            kept_until: Some(at("2027-01-04T18:30:00")),
            ..line(MessageKind::OfferExpiring, "2027-01-05T10:00:00")
        };
        let letter = of_sessions(std::slice::from_ref(&offered), 60, Form::Easy).unwrap();
        assert_eq!(
            letter.lines,
            [
                "We keep a place for you. Do you want it?",
                "When: Tuesday 5 January 2027, 10am",
                "Where: Central Library, L3 8EW",
                "Tell us before: Monday 4 January 2027, 6:30pm"
            ]
        );
        assert!(sentence(&offered).ends_with("in your bookings before Monday 4 January 2027, 6:30pm."));
        let many = vec![offered; 13];
        let letter = of_sessions(&many, 60, Form::Easy).unwrap();
        assert_eq!(
            (letter.lines.len(), letter.lines[48].as_str()),
            (49, "And 1 more. You find all of them in your bookings.")
        );
    }

    #[test]
    fn a_line_says_for_whom_it_is_and_why() {
        let off = line(MessageKind::Cancelled, "2027-01-05T10:00:00");
        let said = Line { reason: Reason::Said("The boiler is broken.".into()), whose: Whose::Another(None), ..off };
        assert_eq!(
            sentence(&said),
            "For somebody you booked for: This is called off: Tuesday 5 January 2027, 10am, at Central Library, L3 8EW. \
             We are sorry. The reason: The boiler is broken."
        );
        let neutral = Line { reason: Reason::NotSaid, whose: Whose::Another(Some("Sid".into())), ..said };
        let letter = of_sessions(&[neutral], 60, Form::Easy).unwrap();
        assert_eq!(
            letter.lines,
            [
                "For Sid. This is called off.",
                "When: Tuesday 5 January 2027, 10am",
                "Where: Central Library, L3 8EW",
                "Your bookings say why."
            ]
        );
    }

    #[test]
    fn many_lines_are_one_mail_that_says_how_many_more_there_are() {
        let lines: Vec<Line> =
            (1..=9).map(|day| line(MessageKind::Cancelled, &format!("2027-01-0{day}T10:00:00"))).collect();
        let letter = of_sessions(&lines, 7, Form::Usual).unwrap();
        assert_eq!((letter.subject.as_str(), letter.lines.len()), ("Changes to your bookings", 8));
        assert_eq!(letter.lines[7], "And 2 more. You find all of them in your bookings.");
        let alone = |line: &Line| of_sessions(std::slice::from_ref(line), 7, Form::Usual).unwrap().subject;
        assert_eq!(alone(&lines[0]), "A change to Friday 1 January 2027");
        assert_eq!(alone(&line(MessageKind::Offered, "2027-01-05T10:00:00")), "A place is free");
        assert_eq!(alone(&line(MessageKind::Reminder, "2027-01-05T10:00:00")), "Reminder: Tuesday 5 January 2027");
        assert_eq!(of_sessions(&[], 7, Form::Usual), None);
    }
}
