//! The audit: events that say who did what to whose data. Events are never changed or deleted. The event of a change is
//! written in the transaction of the change.
//!
//! An event holds ids and names of fields, never values or free text. A read of personal data makes one event for each
//! person whose data the answer holds. The events are on disk before the answer is sent ([`Db::read_audited`]).
//!
//! Each write of events leaves a row in `audit_unsealed`, in the same transaction. A task seals what waits there
//! (`crate::seals`). So an event that is neither sealed nor waiting was put there by somebody else.

pub mod hash;
pub mod purpose;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, new_id_at};
use crate::db::schema::{audit_events, audit_unsealed};
use crate::db::{Conn, Db, Id, Json, Timestamp};
use crate::error::Result;
use crate::insert_many;
pub use purpose::Purpose;

/// The thing that an event is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The kind of thing: the name of its table in the singular, such as `member`, `booking` or `prescription`.
    pub kind: &'static str,
    /// Its id.
    pub id: Option<Id>,
    /// The member whose data it is; `None` if it is no member's data (an account, a venue).
    pub member_id: Option<Id>,
}

impl Subject {
    /// Something that is a member's data.
    pub fn of_member(kind: &'static str, id: Id, member_id: Id) -> Self {
        Self { kind, id: Some(id), member_id: Some(member_id) }
    }

    /// An account. A member's account is that member's data.
    pub fn of_account(id: Id, member_id: Option<Id>) -> Self {
        Self { kind: "user", id: Some(id), member_id }
    }

    /// A member's whole record.
    pub fn record_of(member_id: Id) -> Self {
        Self::of_member("member", member_id, member_id)
    }

    /// Something that is no member's data.
    pub fn other(kind: &'static str, id: Id) -> Self {
        Self { kind, id: Some(id), member_id: None }
    }
}

/// A thing of a member as it is kept beside a stored answer, so that giving the answer again can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptSubject {
    /// A thing of a member.
    Thing {
        /// The kind of thing.
        kind: String,
        /// Its id.
        id: Id,
        /// The member.
        member_id: Id,
    },
    /// A member, as answers were stored before they said what they hold.
    Member(Id),
}

impl KeptSubject {
    /// What is kept of a subject. `None` if it is no member's data.
    pub fn of(subject: &Subject) -> Option<Self> {
        Some(Self::Thing { kind: subject.kind.to_owned(), id: subject.id?, member_id: subject.member_id? })
    }

    /// The subject again. A kind that this version doesn't know counts as the whole record.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Thing { kind, id, member_id } => match purpose::known_kind(kind) {
                Some(kind) => Subject::of_member(kind, *id, *member_id),
                None => Subject::record_of(*member_id),
            },
            Self::Member(id) => Subject::record_of(*id),
        }
    }
}

/// One event, ready to be written.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub struct Event {
    id: Id,
    at: Timestamp,
    actor_kind: &'static str,
    actor_id: Option<Id>,
    action: &'static str,
    member_id: Option<Id>,
    resource_kind: &'static str,
    resource_id: Option<Id>,
    fields: Json<Vec<String>>,
    request_id: String,
    actor_role: Option<&'static str>,
    partner_id: Option<Id>,
    purpose: Option<Purpose>,
    on_behalf_of: Option<Id>,
}

/// Who did something, as they were then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    kind: &'static str,
    id: Option<Id>,
    role: Option<&'static str>,
    partner_id: Option<Id>,
}

impl Actor {
    /// The service itself, or a caller without credentials.
    pub const SYSTEM: Self = Self { kind: "system", id: None, role: None, partner_id: None };

    /// An account.
    pub fn user(id: Id, role: &'static str, partner_id: Option<Id>) -> Self {
        Self { kind: "user", id: Some(id), role: Some(role), partner_id }
    }

    /// A partner's API client.
    pub fn client(id: Id, role: &'static str, partner_id: Option<Id>) -> Self {
        Self { kind: "client", id: Some(id), role: Some(role), partner_id }
    }
}

impl Event {
    /// An event at this instant. `action` is a verb such as `read`, `create`, `change`, `cancel` or `search`. `source`
    /// is the id of the request, or the name of the service's own work that led to the event.
    pub fn new(
        at: Timestamp,
        actor: Actor,
        source: &str,
        action: &'static str,
        subject: Subject,
        fields: &[&str],
    ) -> Self {
        Self {
            id: new_id_at(at),
            at,
            actor_kind: actor.kind,
            actor_id: actor.id,
            action,
            member_id: subject.member_id,
            resource_kind: subject.kind,
            resource_id: subject.id,
            fields: Json(fields.iter().map(|name| (*name).to_owned()).collect()),
            request_id: source.to_owned(),
            actor_role: actor.role,
            partner_id: actor.partner_id,
            purpose: None,
            on_behalf_of: None,
        }
    }

    /// An event of a command on the command line, which has no account.
    pub fn by_system(clock: &Clock, action: &'static str, subject: Subject, fields: &[&str]) -> Self {
        Self::of_system(clock.now(), "command-line", action, subject, fields)
    }

    /// An event of the service's own work. `source` names the work, in place of a request's id.
    ///
    /// Also used when somebody's request set off the work. Example: a cancelled booking gives the seat to the next
    /// member on the waiting list; that member's event must not name the person who cancelled.
    pub fn of_system(
        at: Timestamp,
        source: &'static str,
        action: &'static str,
        subject: Subject,
        fields: &[&str],
    ) -> Self {
        Self::new(at, Actor::SYSTEM, source, action, subject, fields)
    }

    /// The same event, done by a carer for this member.
    pub fn on_behalf_of(self, member_id: Option<Id>) -> Self {
        Self { on_behalf_of: member_id, ..self }
    }

    /// The same event with an id made at this instant. Ids follow the time, and a long request records events late.
    pub fn numbered_at(mut self, at: Timestamp) -> Self {
        self.id = new_id_at(at);
        self
    }

    /// The same event with what it was done for.
    pub fn for_purpose(mut self, purpose: Option<Purpose>) -> Self {
        self.purpose = purpose;
        self
    }
}

impl Db {
    /// Reads personal data and records who read whose data. Returns the answer only when the events are on disk.
    ///
    /// # Errors
    /// As [`Db::read`] and [`Db::write`]. If the events can't be written, there is no answer.
    pub async fn read_audited<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<(T, Vec<Event>)> + Send + 'static,
    ) -> Result<T> {
        self.read_and_record(work, record).await
    }
}

/// Writes events in the current transaction, and has them wait for their seal.
///
/// On PostgreSQL one event and its row that waits are one statement: most writes have one event, and a second statement
/// would be a second round trip.
pub fn record(conn: &mut Conn, events: &[Event]) -> Result<()> {
    let Some(first) = events.first() else { return Ok(()) };
    let ids: Vec<u8> = events.iter().flat_map(|event| *event.id.0.as_bytes()).collect();
    let waits = (audit_unsealed::first_id.eq(first.id), audit_unsealed::event_ids.eq(ids));
    let waits = diesel::insert_into(audit_unsealed::table).values(waits);
    match (&mut *conn, events) {
        (Conn::Postgres(postgres), [event]) => {
            let written = diesel::insert_into(audit_events::table).values(event);
            Both(written, waits).execute(postgres)?;
        }
        _ => {
            insert_many!(conn, audit_events::table, events)?;
            waits.execute(conn)?;
        }
    }
    Ok(())
}

/// Two statements as one: the first is a common table expression of the second.
#[derive(QueryId)]
struct Both<A, B>(A, B);

impl<A: QueryFragment<Pg>, B: QueryFragment<Pg>> QueryFragment<Pg> for Both<A, B> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH first AS (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        self.1.walk_ast(out.reborrow())
    }
}

impl<A, B> RunQueryDsl<PgConnection> for Both<A, B> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_subject_is_the_same_again_and_an_answer_from_before_held_the_whole_record() {
        let [id, member] = [1, 2].map(|number| Id(uuid::Uuid::from_u128(number)));
        let kept = |subject: &Subject| serde_json::to_string(&KeptSubject::of(subject)).unwrap();
        let again = |text: &str| {
            let subject = serde_json::from_str::<KeptSubject>(text).unwrap().subject();
            (subject.kind, subject.id, subject.member_id)
        };
        let flag = Subject::of_member(purpose::HIDDEN_KIND, id, member);
        assert_eq!(again(&kept(&flag)), ("safeguarding_flag", Some(id), Some(member)));
        assert_eq!(again(&format!("\"{member}\"")), ("member", Some(member), Some(member)));
        assert!(KeptSubject::of(&Subject::other("venue", id)).is_none());
    }
}
