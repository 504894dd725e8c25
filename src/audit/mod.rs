//! What happened to whose data: append-only events, written in the transaction of what they tell of.
//!
//! An event holds ids and the names of fields, never values or free text. A read of personal data leaves one event
//! for each person whose data the answer carries, on disk before the answer leaves ([`Db::read_audited`]).

use diesel::prelude::*;

use crate::clock::{Clock, new_id_at};
use crate::db::schema::audit_events;
use crate::db::{Conn, Db, Id, Json, Timestamp};
use crate::error::Result;
use crate::per_backend;

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The kind of thing, as the table is named in the singular: `member`, `booking`, `prescription`.
    pub kind: &'static str,
    /// Its id.
    pub id: Option<Id>,
    /// The member whose data it is; `None` where it is nobody's (an account, a venue).
    pub member_id: Option<Id>,
}

impl Subject {
    /// Something of a member's.
    pub fn of_member(kind: &'static str, id: Id, member_id: Id) -> Self {
        Self { kind, id: Some(id), member_id: Some(member_id) }
    }

    /// Something that is no member's.
    pub fn other(kind: &'static str, id: Id) -> Self {
        Self { kind, id: Some(id), member_id: None }
    }
}

/// One event, ready to be written.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = audit_events)]
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
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An account.
    User(Id),
    /// A partner's API client.
    Client(Id),
    /// The service itself, or somebody who has not said who they are.
    System,
}

impl Event {
    /// An event at this instant. `action` is a verb such as `read`, `create`, `change`, `cancel`, `search`; `source` is
    /// the id of the request that it belongs to, or the name of what the service does by itself.
    pub fn new(
        at: Timestamp,
        actor: Actor,
        source: &str,
        action: &'static str,
        subject: Subject,
        fields: &[&str],
    ) -> Self {
        let (actor_kind, actor_id) = match actor {
            Actor::User(id) => ("user", Some(id)),
            Actor::Client(id) => ("client", Some(id)),
            Actor::System => ("system", None),
        };
        Self {
            id: new_id_at(at),
            at,
            actor_kind,
            actor_id,
            action,
            member_id: subject.member_id,
            resource_kind: subject.kind,
            resource_id: subject.id,
            fields: Json(fields.iter().map(|name| (*name).to_owned()).collect()),
            request_id: source.to_owned(),
        }
    }

    /// An event of a command, which no account stands behind.
    pub fn by_system(clock: &Clock, action: &'static str, subject: Subject, fields: &[&str]) -> Self {
        Self::of_system(clock.now(), "command-line", action, subject, fields)
    }

    /// An event of what the service does by itself, even where somebody's request led to it: who that was is none of
    /// the member's business. `source` stands where a request's id would.
    pub fn of_system(
        at: Timestamp,
        source: &'static str,
        action: &'static str,
        subject: Subject,
        fields: &[&str],
    ) -> Self {
        Self::new(at, Actor::System, source, action, subject, fields)
    }

    /// The same event with an id made at this instant: a request can last, and ids follow the time.
    pub fn numbered_at(mut self, at: Timestamp) -> Self {
        self.id = new_id_at(at);
        self
    }
}

impl Db {
    /// Reads personal data and records who read whose. The answer is released once the events are on disk.
    ///
    /// # Errors
    /// As [`Db::read`] and [`Db::write`]; where the events can't be written there is no answer.
    pub async fn read_audited<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<(T, Vec<Event>)> + Send + 'static,
    {
        self.read_and_record(work, record).await
    }
}

/// Writes events in the present transaction.
pub fn record(conn: &mut Conn, events: &[Event]) -> Result<()> {
    for chunk in events.chunks(500) {
        // Many rows in one statement can't be written through the common connection.
        per_backend!(conn, |inner| diesel::insert_into(audit_events::table).values(chunk).execute(inner))?;
    }
    Ok(())
}
