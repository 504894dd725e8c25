//! The document of an export: reads everything that is kept about a member, in the order in which it is shown.

mod account;
mod care;
pub mod items;
mod people;
mod person;
pub mod types;

use chrono::NaiveDate;
use strum::IntoEnumIterator;

use self::people::People;
use self::types::{
    AccessLogSection, AccessNeedsSection, AccountSection, BookingsSection, CalendarLinksSection, ConsentsSection,
    ContactSection, EqualitySection, ErasuresSection, ExportAbout, ExportDocument, ExportsSection, HeldBackSection,
    LinksSection, LoginsSection, MergesSection, MessagesSection, PrescriptionsSection, RecordSection,
    RelationshipsSection, RetentionSection, SafeguardingSection, WalkInsSection,
};
use super::node::Node;
use super::types::{ExportKind, ExportPart};
use super::words;
use crate::clock::london_day;
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::cursor::Key;
use crate::http::page::Slice;
use crate::members::access_log::store::Part;

/// What a document is made for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The member.
    pub member_id: Id,
    /// Who asked.
    pub kind: ExportKind,
    /// The day on which the request came in.
    pub received_on: NaiveDate,
    /// The time.
    pub now: Timestamp,
}

/// Reads everything that is kept about a member. The caller gives it one snapshot.
///
/// # Errors
/// 404 if there is no such member any more.
pub fn collect(conn: &mut Conn, request: &Request) -> Result<ExportDocument> {
    let Request { member_id: id, kind, received_on, now } = *request;
    let today = london_day(now);
    let people = &mut People::around(conn, id)?;
    let (record, contact) = person::record(conn, id, today)?;
    let accounts = account::accounts(conn, people)?;
    let emails: Vec<String> = accounts.iter().map(|account| account.email.clone()).collect();
    let is_full = kind == ExportKind::Full;
    let (safeguarding, safeguarding_log) =
        if is_full { of_safeguarding(conn, id, today, people)? } else { (None, None) };
    let has_notes = safeguarding.is_some();
    Ok(ExportDocument {
        about: ExportAbout { text: words::TEXT.to_vec(), member_id: id, kind, received_on, made_at: now },
        record: RecordSection { about: words::RECORD.about, items: vec![record] },
        contact: ContactSection { about: words::CONTACT.about, items: vec![contact] },
        access_needs: AccessNeedsSection { about: words::ACCESS_NEEDS.about, items: person::needs(conn, id)? },
        equality_answers: EqualitySection { about: words::EQUALITY.about, items: person::answers(conn, id)? },
        consents: ConsentsSection { about: words::CONSENTS.about, items: person::agreed(conn, id, people)? },
        relationships: RelationshipsSection {
            about: words::RELATIONSHIPS.about,
            items: person::close(conn, id, today, people)?,
        },
        prescriptions: PrescriptionsSection {
            about: words::PRESCRIPTIONS.about,
            items: care::prescribed(conn, id, people)?,
        },
        bookings: BookingsSection { about: words::BOOKINGS.about, items: care::booked(conn, id, people)? },
        walk_ins: WalkInsSection { about: words::WALK_INS.about, items: care::walked_in(conn, id)? },
        messages: MessagesSection { about: words::MESSAGES.about, items: account::told(conn, id, now)? },
        account: AccountSection { about: words::ACCOUNT.about, items: accounts },
        logins: LoginsSection { about: words::LOGINS.about, items: account::devices(conn, people)? },
        links: LinksSection { about: words::LINKS.about, items: account::links(conn, id, &emails, people)? },
        calendar_links: CalendarLinksSection {
            about: words::CALENDAR_LINKS.about,
            items: account::calendars(conn, id)?,
        },
        merges: MergesSection { about: words::MERGES.about, items: account::merged(conn, id, people)? },
        exports: ExportsSection { about: words::EXPORTS.about, items: account::asked(conn, id, kind)? },
        erasures: ErasuresSection { about: words::ERASURES.about, items: account::to_forget(conn, id, today)? },
        retention: RetentionSection { about: words::RETENTION.about, items: account::kept(conn, id, people)? },
        safeguarding,
        safeguarding_log,
        access_log: AccessLogSection {
            about: words::ACCESS_LOG.about,
            items: account::looked(conn, id, Part::Log, today)?,
        },
        held_back: HeldBackSection { about: words::HELD_BACK.about, items: words::held_back(kind, has_notes) },
    })
}

/// What is kept to keep somebody safe, and who looked because of it: both or neither. Without any of it the document reads
/// as one from which it was withheld, so that nobody learns from it which of the two it is.
fn of_safeguarding(
    conn: &mut Conn,
    id: Id,
    today: NaiveDate,
    people: &mut People,
) -> Result<(Option<SafeguardingSection>, Option<AccessLogSection>)> {
    let notes = SafeguardingSection { about: words::SAFEGUARDING.about, items: account::notes(conn, id, people)? };
    let items = account::looked(conn, id, Part::Safeguarding, today)?;
    let log = AccessLogSection { about: words::SAFEGUARDING_LOG.about, items };
    let is_empty = notes.items.is_empty() && log.items.is_empty();
    Ok(if is_empty { (None, None) } else { (Some(notes), Some(log)) })
}

/// How many rows of a list are read at a time.
const PART: i64 = 500;

/// All rows of a list that its store gives in parts.
fn all<K: Key, R>(mut read: impl FnMut(&Slice<K>) -> Result<Vec<R>>, key: impl Fn(&R) -> K) -> Result<Vec<R>> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let slice = Slice::part(after, PART);
        let part = read(&slice)?;
        let is_last = i64::try_from(part.len()).map_err(Error::internal)? < slice.fetch();
        after = part.last().map(&key);
        rows.extend(part);
        if is_last {
            return Ok(rows);
        }
    }
}

/// The document without these sections. It says which they are, and why.
///
/// # Errors
/// 500 if it is no document.
pub fn withhold(document: &[u8], parts: &[ExportPart], why: &str) -> Result<Vec<u8>> {
    let mut document: Node = serde_json::from_slice(document).map_err(Error::internal)?;
    let (safeguarding, others): (Vec<&ExportPart>, Vec<&ExportPart>) =
        parts.iter().partition(|part| part.is_of_safeguarding());
    for part in &others {
        if let Some(items) = document.get_mut(part.name()).and_then(|section| section.get_mut("items")) {
            *items = Node::List(Vec::new());
        }
    }
    let mut said: Vec<(&str, &str)> = others.into_iter().map(|part| (words::title(*part), why)).collect();
    if !safeguarding.is_empty() {
        // One without the other would tell what was withheld, and so would the reason.
        for part in ExportPart::iter().filter(ExportPart::is_of_safeguarding) {
            if let Some(section) = document.get_mut(part.name()) {
                *section = Node::Null;
            }
        }
        said.push((words::NO_NOTES.what, words::NO_NOTES.why));
    }
    if let Some(Node::List(held)) = document.get_mut("held_back").and_then(|section| section.get_mut("items")) {
        let item = |(what, why): (&str, &str)| {
            let text = |text: &str| Node::Text(text.to_owned());
            Node::Map(vec![("what".to_owned(), text(what)), ("why".to_owned(), text(why))])
        };
        held.splice(0..0, said.into_iter().map(item));
    }
    serde_json::to_vec(&document).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withheld_leaves_the_document_and_is_said() {
        let text = r#"{"bookings":{"about":"b","items":[{"title":"secret"}]},"consents":{"about":"c","items":[{"id":1}]},"safeguarding":{"about":"s","items":[{"summary":"secret"}]},"safeguarding_log":{"about":"l","items":[{"who":"secret"}]},"held_back":{"about":"h","items":[{"what":"x","why":"y"}]}}"#;
        let rest = format!(
            r#""safeguarding":null,"safeguarding_log":null,"held_back":{{"about":"h","items":[{{"what":"Your bookings","why":"It is \"so\"."}},{{"what":"{}","why":"{}"}},{{"what":"x","why":"y"}}]}}}}"#,
            words::NO_NOTES.what,
            words::NO_NOTES.why
        );
        let parts = [ExportPart::Bookings, ExportPart::Safeguarding];
        let left = String::from_utf8(withhold(text.as_bytes(), &parts, "It is \"so\".").unwrap()).unwrap();
        let first = r#"{"bookings":{"about":"b","items":[]},"consents":{"about":"c","items":[{"id":1}]},"#;
        assert_eq!(left, format!("{first}{rest}"));
        let also = [ExportPart::Bookings, ExportPart::SafeguardingLog];
        assert_eq!(withhold(text.as_bytes(), &also, "It is \"so\".").unwrap(), left.into_bytes());
        assert_eq!(withhold(text.as_bytes(), &[], "").unwrap(), text.as_bytes());
        assert!(withhold(b"{", &parts, "").is_err());
    }

    #[test]
    fn a_list_is_read_to_its_end_in_parts() {
        for length in [0_i64, 1, 500, 501, 502, 1002, 1003, 1500] {
            let numbers: Vec<i64> = (0..length).collect();
            let mut calls = 0;
            let read = |slice: &Slice<i64>| {
                calls += 1;
                let after = slice.after;
                let rest = numbers.iter().copied().filter(|number| after.is_none_or(|after| *number > after));
                Ok(rest.take(usize::try_from(slice.fetch()).unwrap()).collect())
            };
            assert_eq!(all(read, |number| *number).unwrap(), numbers);
            assert_eq!(calls, 1 + length / 501, "{length}");
        }
    }
}
