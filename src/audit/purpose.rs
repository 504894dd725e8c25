//! What somebody's data was used for.

use super::Subject;

/// The header of a request that says what it is for.
pub const HEADER: &str = "X-Purpose";

crate::text_enum! {
    /// What a person's data was used for.
    pub enum Purpose {
        /// Supporting the person.
        Support,
        /// Finding out whether somebody is registered, and registering them.
        Registration,
        /// Bookings and registers: who comes, and who came.
        Attendance,
        /// Passing the person on to another organisation.
        Referral,
        /// Answering a complaint.
        Complaint,
        /// Correcting data.
        DataQuality,
        /// Protecting somebody from harm. Only for accounts with the permission `safeguarding`; the access log leaves it out.
        Safeguarding,
        /// Answering a person who asks for their data.
        SubjectAccess,
    }
}

/// The kind of thing whose events are never in an access log.
pub const HIDDEN_KIND: &str = "safeguarding_flag";

/// The kinds of things of members that answers to a POST hold. Such an answer is stored with its kinds, and they are
/// recorded again when the answer is repeated.
const ANSWERED: &[&str] = &[
    "member",
    "booking",
    "consent",
    "prescription",
    "prescription_item",
    "calendar_link",
    "invitation",
    "relationship",
    "access_needs",
    "equality_answers",
    "erasure",
    "export",
    HIDDEN_KIND,
];

/// The kind with this name. `None` if answers hold no such thing.
pub fn known_kind(name: &str) -> Option<&'static str> {
    ANSWERED.iter().copied().find(|kind| *kind == name)
}

/// What an action on a member's data is for, if the request doesn't say. This is the only place that decides it: every
/// event of a request gets its purpose here, by the kind of its thing. `None` for what is no member's data.
pub fn usual(action: &str, subject: Subject) -> Option<Purpose> {
    subject.member_id?;
    Some(match (subject.kind, action) {
        ("member", "search" | "create") => Purpose::Registration,
        ("member", "merge" | "undo_merge") => Purpose::DataQuality,
        ("booking" | "register" | "walk_in" | "join_link", _) => Purpose::Attendance,
        (HIDDEN_KIND, _) => Purpose::Safeguarding,
        ("erasure" | "export", _) => Purpose::SubjectAccess,
        ("retention_review", _) => Purpose::DataQuality,
        ("member" | "consent" | "prescription" | "prescription_item", _) => Purpose::Support,
        ("calendar_link" | "user" | "invitation", _) => Purpose::Support,
        ("access_needs" | "relationship" | "equality_answers", _) => Purpose::Support,
        (kind, _) => {
            // The suite runs with this check: whoever adds a kind is told to put it into the list above.
            debug_assert!(false, "audit::purpose::usual doesn't say what a {kind} of a member is for");
            Purpose::Support
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn what_an_action_is_for_follows_from_the_thing_and_the_action() {
        let id = Clock::system().new_id();
        let of = |kind, action| usual(action, Subject::of_member(kind, id, id));
        assert_eq!(of("member", "read"), Some(Purpose::Support));
        assert_eq!(of("member", "search"), Some(Purpose::Registration));
        assert_eq!(of("member", "create"), Some(Purpose::Registration));
        assert_eq!(of("register", "read"), Some(Purpose::Attendance));
        assert_eq!(of("booking", "list"), Some(Purpose::Attendance));
        assert_eq!(of("prescription", "change"), Some(Purpose::Support));
        assert_eq!(of("safeguarding_flag", "read"), Some(Purpose::Safeguarding));
        assert_eq!(of("export", "read"), Some(Purpose::SubjectAccess));
        assert_eq!(usual("create", Subject::other("venue", id)), None);
    }
}
