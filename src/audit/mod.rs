//! The audit: events that say who did what to whose data. Events are never changed or deleted. The event of a change is
//! written in the transaction of the change.
//!
//! An event holds ids and names of fields, never values or free text. A read of personal data makes one event for each
//! person whose data the answer holds. The events are on disk before the answer is sent ([`Db::read_audited`]).

use diesel::prelude::*;

use crate::clock::{Clock, new_id_at};
use crate::db::schema::audit_events;
use crate::db::{Conn, Db, Id, Json, Timestamp};
use crate::error::Result;
use crate::insert_many;

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

    /// Something that is no member's data.
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
    /// The service itself, or a caller without credentials.
    System,
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
        Self::new(at, Actor::System, source, action, subject, fields)
    }

    /// The same event with an id made at this instant. Ids follow the time, and a long request records events late.
    pub fn numbered_at(mut self, at: Timestamp) -> Self {
        self.id = new_id_at(at);
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

/// Writes events in the current transaction.
pub fn record(conn: &mut Conn, events: &[Event]) -> Result<()> {
    Ok(insert_many!(conn, audit_events::table, events)?)
}
