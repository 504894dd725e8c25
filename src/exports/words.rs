//! The words of documents in English, for a reading age of 9 to 11: short sentences, everyday words, one idea at a time.

use super::document::types::HeldBack;
use super::types::{ExportKind, ExportPart};
use crate::db::types::TextEnum;

/// The title of the page.
pub const TITLE: &str = "What we keep about you";

/// What a document is, and which rights its reader has.
pub const TEXT: [&str; 5] = [
    "This is what we keep about you. You have the right to see it.",
    "We keep it so that we can support you, and so that the service can show what it does. Our advisors see it. A partner \
     of ours sees your name only if you agreed to that.",
    "If something is wrong, ask us to correct it. You can also ask us to delete it, or to use it less.",
    "We keep it while we support you, and for as long after that as the rules for health records ask. Messages and logins \
     are gone after 90 days.",
    "If you aren't content with what we do, tell us. You can also complain to the Information Commissioner's Office: \
     ico.org.uk, telephone 0303 123 1113.",
];

/// The words of a section.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name in the document.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is, in a sentence or two.
    pub about: &'static str,
    /// Whether a page shows it as one table, with a line for each item.
    pub is_table: bool,
}

macro_rules! sections {
    ($($name:ident: $key:literal, $title:literal, $table:literal, $about:literal;)+) => {
        $(pub const $name: Section = Section { key: $key, title: $title, about: $about, is_table: $table };)+

        /// All sections, in the order of the document.
        pub const ALL: &[Section] = &[$($name),+];
    };
}

sections! {
    RECORD: "record", "Your record", false,
        "Who you are, where you live, and names that you had before.";
    CONTACT: "contact", "How we may contact you", false,
        "How to reach you, what is safe for you, and whom to call when something happens.";
    ACCESS_NEEDS: "access_needs", "What you need to take part", false,
        "What you told us that you need: for example large print, or a room without steps.";
    EQUALITY: "equality_answers", "Your answers about equality", false,
        "We ask everybody these questions to see whom we don't reach. Our advisors see only which ones you answered. \
         Reports count the answers and show no person.";
    CONSENTS: "consents", "What you agreed to", false,
        "Each time that you agreed to something, or took that back. What you said last counts.";
    RELATIONSHIPS: "relationships", "People close to you", false,
        "Who cares for you or belongs to your family, and may do something for you here. We leave out their names, because \
         those are theirs.";
    PRESCRIPTIONS: "prescriptions", "Your social prescriptions", false,
        "What matters to you, what you need support with, and what you and your advisor agreed on. It says when to look at \
         it again.";
    BOOKINGS: "bookings", "Your bookings", false,
        "The sessions that you booked, and whether you came.";
    WALK_INS: "walk_ins", "Sessions without a booking", true,
        "The sessions that you came to without a booking.";
    MESSAGES: "messages", "Messages to you", false,
        "What we told you in the last 90 days, and whether we could send it.";
    ACCOUNT: "account", "Your account", false,
        "The account that you log in with.";
    LOGINS: "logins", "Your logins", false,
        "The devices on which you logged in. We keep the network that a login came from, and never the whole address.";
    LINKS: "links", "Links that we sent you", false,
        "Links to choose a password or to confirm an address. Their secrets are left out.";
    CALENDAR_LINKS: "calendar_links", "Addresses of your calendar", false,
        "Addresses under which a calendar program reads your bookings. Their secrets are left out.";
    MERGES: "merges", "Records that we joined", true,
        "When we found that we kept two records about you, and made one of them.";
    EXPORTS: "exports", "When you asked for your data", false,
        "Each time that you asked what we keep about you, and by when we had to answer.";
    ERASURES: "erasures", "When you asked to be forgotten", false,
        "Each time that you asked us to delete what we keep about you, and what became of it.";
    RETENTION: "retention", "Why we still keep your record", false,
        "We look through records that nobody has used for years. If we decide to keep yours for longer, the reason stands \
         here.";
    SAFEGUARDING: "safeguarding", "Notes that keep somebody safe", false,
        "What we wrote down because somebody may be at risk of harm.";
    SAFEGUARDING_LOG: "safeguarding_log", "Who looked, to keep somebody safe", true,
        "Who looked at your data or changed it because somebody may be at risk of harm.";
    ACCESS_LOG: "access_log", "Who looked at your data", true,
        "Who looked at your data or changed it, when, and what for. The newest comes first.";
    HELD_BACK: "held_back", "What is not in here", true,
        "What we have and don't show you here, and why.";
}

/// What every document leaves out.
const ALWAYS: [HeldBack; 7] = [
    HeldBack {
        what: "Your password",
        why: "We don't know it. We keep something that is made of it, with which nobody can log in.",
    },
    HeldBack {
        what: "The secrets of your logins, links and calendar addresses",
        why: "Whoever has them could act as you. They don't tell anything about you.",
    },
    HeldBack { what: "The names of other people who use the service", why: "They are those people's data." },
    HeldBack {
        what: "How we know that you care for somebody, or belong to their family",
        why: "That is what they told us about themselves.",
    },
    HeldBack {
        what: "Counts of wrong passwords by network, and which messages belong to which mail",
        why: "They keep the service running, and don't tell anything about you.",
    },
    HeldBack {
        what: "Answers that are kept so that a request isn't done twice",
        why: "They are copies of what stands above, and are gone after a day.",
    },
    HeldBack {
        what: "How to take two records apart again that we made one of",
        why: "For 30 days we keep both as they were, in case they are of two people. What you told us is above, unless it \
              said the same twice. Ask us if you want to see it.",
    },
];

/// What a document that the member asked for leaves out as well. It says the same to everybody, so that nobody learns from
/// it whether there are such notes.
const FROM_OWN: HeldBack = HeldBack {
    what: "Notes that keep somebody safe, if there are any",
    why: "Somebody has to look at them before we give them away. Ask an advisor for everything that we keep about you.",
};

/// What a document says that an advisor asked for, if there are no such notes or if they are withheld: the same, so that
/// nobody learns which of the two it is.
pub const NO_NOTES: HeldBack = HeldBack {
    what: FROM_OWN.what,
    why: "We give them away only where that puts nobody at risk. Ask an advisor if you want to know more.",
};

/// What a document of this kind leaves out, and why. `has_notes`: it holds notes that keep somebody safe.
pub fn held_back(kind: ExportKind, has_notes: bool) -> Vec<HeldBack> {
    let of_notes = match kind {
        ExportKind::Own => Some(FROM_OWN),
        ExportKind::Full => (!has_notes).then_some(NO_NOTES),
    };
    of_notes.into_iter().chain(ALWAYS).collect()
}

/// The heading of a section.
pub fn title(part: ExportPart) -> &'static str {
    ALL.iter().find(|section| section.key == part.name()).map_or("A section", |section| section.title)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn every_section_but_the_last_can_be_withheld_under_its_name() {
        let parts: BTreeSet<&str> = ExportPart::iter().map(TextEnum::name).collect();
        let sections: BTreeSet<&str> =
            ALL.iter().map(|section| section.key).filter(|key| *key != HELD_BACK.key).collect();
        assert_eq!(parts, sections);
    }

    #[test]
    fn an_own_document_says_the_same_whether_or_not_there_are_notes() {
        assert_eq!(held_back(ExportKind::Own, false)[0].why, FROM_OWN.why);
        assert_eq!(held_back(ExportKind::Full, false)[0].why, NO_NOTES.why);
        assert!(held_back(ExportKind::Full, true).iter().all(|held| held.what != FROM_OWN.what));
    }
}
