//! The hash of an event as it stands in the database, and the root of a seal over several.
//!
//! Both databases give the same hash of the same event: instants count in microseconds, ids as 16 bytes, and names of
//! fields as a list, however the database writes them down. Each value is preceded by its length, so that no two events
//! have the same bytes. A test holds the hash to a value that was worked out by another program.

use aws_lc_rs::digest::{Context, SHA256};
use diesel::prelude::*;

use crate::db::schema::audit_events;
use crate::db::{Id, Json, Timestamp};

/// A hash: SHA-256.
pub type Hash = [u8; 32];

/// An event as it stands in the database.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
#[expect(missing_docs, reason = "the columns are described in Event")]
pub struct Written {
    pub id: Id,
    pub at: Timestamp,
    pub actor_kind: String,
    pub actor_id: Option<Id>,
    pub action: String,
    pub member_id: Option<Id>,
    pub resource_kind: String,
    pub resource_id: Option<Id>,
    pub fields: Json<Vec<String>>,
    pub request_id: String,
    pub actor_role: Option<String>,
    pub partner_id: Option<Id>,
    pub purpose: Option<String>,
    pub on_behalf_of: Option<Id>,
}

impl Written {
    /// The event's hash.
    pub fn hash(&self) -> Hash {
        let mut hasher = Hasher::new("life-rooms audit event 1");
        hasher.id(Some(self.id));
        hasher.value(Some(&self.at.0.timestamp_micros().to_be_bytes()));
        hasher.text(Some(&self.actor_kind));
        hasher.id(self.actor_id);
        hasher.text(Some(&self.action));
        hasher.id(self.member_id);
        hasher.text(Some(&self.resource_kind));
        hasher.id(self.resource_id);
        hasher.number(self.fields.0.len() as u64);
        self.fields.0.iter().for_each(|name| hasher.text(Some(name)));
        hasher.text(Some(&self.request_id));
        hasher.text(self.actor_role.as_deref());
        hasher.id(self.partner_id);
        hasher.text(self.purpose.as_deref());
        hasher.id(self.on_behalf_of);
        hasher.end()
    }
}

/// What a root is worked out from, besides the events of its seal.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The root of the seal before; zeros for the first.
    pub previous: &'a [u8],
    /// The number of the seal.
    pub number: i64,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// Its note.
    pub note: Option<&'a str>,
}

impl Link<'_> {
    /// The root of a seal over events with these hashes, in the order of their ids.
    pub fn root(&self, hashes: &[Hash]) -> Hash {
        let mut hasher = Hasher::new("life-rooms audit seal 1");
        hasher.value(Some(self.previous));
        hasher.number(self.number.unsigned_abs());
        hasher.number(hashes.len() as u64);
        hasher.value(Some(&self.sealed_at.0.timestamp_micros().to_be_bytes()));
        hasher.text(self.note);
        hashes.iter().for_each(|hash| hasher.value(Some(hash)));
        hasher.end()
    }
}

/// The hash that stands in a seal for an event that was gone when it should have been sealed.
pub fn of_missing(id: Id) -> Hash {
    let mut hasher = Hasher::new("life-rooms audit event missing");
    hasher.id(Some(id));
    hasher.end()
}

/// Hashes values, each with its length before it.
struct Hasher(Context);

impl Hasher {
    /// `what` keeps the hashes of different things apart.
    fn new(what: &str) -> Self {
        let mut hasher = Self(Context::new(&SHA256));
        hasher.text(Some(what));
        hasher
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_be_bytes());
    }

    fn value(&mut self, value: Option<&[u8]>) {
        self.number(value.map_or(u64::MAX, |value| value.len() as u64));
        self.0.update(value.unwrap_or_default());
    }

    fn text(&mut self, text: Option<&str>) {
        self.value(text.map(str::as_bytes));
    }

    fn id(&mut self, id: Option<Id>) {
        self.value(id.as_ref().map(|id| &id.0.as_bytes()[..]));
    }

    fn end(self) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::text::hex::hex;

    fn event() -> Written {
        let id = |number| Id(Uuid::from_u128(number));
        Written {
            id: id(1),
            at: Timestamp(DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap()),
            actor_kind: "user".into(),
            actor_id: Some(id(2)),
            action: "read".into(),
            member_id: Some(id(3)),
            resource_kind: "member".into(),
            resource_id: Some(id(3)),
            fields: Json(vec!["bookings".into(), "é".into()]),
            request_id: "r".into(),
            actor_role: Some("advisor".into()),
            partner_id: None,
            purpose: Some("support".into()),
            on_behalf_of: None,
        }
    }

    #[test]
    fn the_hash_is_the_one_that_another_program_gives() {
        assert_eq!(hex(&event().hash()), "80f147f3a0145b57046429eccb2f20475b3a0ad4e7d2eb62165ba7f3359e1567");
    }

    #[test]
    fn every_field_counts_and_what_is_missing_differs_from_what_is_empty() {
        let id = |number| Some(Id(Uuid::from_u128(number)));
        let changes: Vec<fn(&mut Written)> = vec![
            |event| event.id = Id(Uuid::from_u128(9)),
            |event| event.at.0 += chrono::TimeDelta::microseconds(1),
            |event| event.actor_kind = "client".into(),
            |event| event.actor_id = None,
            |event| event.action = "list".into(),
            |event| event.resource_kind = "booking".into(),
            |event| event.resource_id = None,
            |event| event.fields.0.clear(),
            |event| event.fields.0 = vec!["bookingsé".into()],
            |event| event.request_id = String::new(),
            |event| event.actor_role = None,
            |event| event.actor_role = Some(String::new()),
            |event| event.purpose = None,
        ];
        let mut all = vec![event().hash()];
        for change in changes {
            let mut changed = event();
            change(&mut changed);
            all.push(changed.hash());
        }
        for (member_id, partner_id, on_behalf_of) in
            [(id(4), None, None), (id(3), id(4), None), (id(3), None, id(4)), (None, id(3), None)]
        {
            all.push(Written { member_id, partner_id, on_behalf_of, ..event() }.hash());
        }
        let many = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), many);
    }

    proptest! {
        #[test]
        fn two_events_whose_texts_are_cut_elsewhere_differ(whole in "[a-c]{2,12}", at in 0usize..12, other in 0usize..12) {
            let (at, other) = (at.min(whole.len()), other.min(whole.len()));
            let cut = |at: usize| Written { action: whole[..at].into(), request_id: whole[at..].into(), ..event() }.hash();
            prop_assert_eq!(cut(at) == cut(other), at == other);
        }
    }
}
