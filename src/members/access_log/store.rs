//! The access log in the database: the audit's events of a member, and the names of those who did something.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::{AccessLogEntry, AccessLogFilter, ActorRole, Who};
use crate::audit::Purpose;
use crate::audit::hash::Written;
use crate::audit::purpose::HIDDEN_KIND;
use crate::clock::london_midnight;
use crate::db::schema::{api_clients, audit_events, members, partners, users};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::http::page::Slice;
use crate::members::relationships::store as relationships;
use crate::members::store::{NAMES, Names as MemberNames, ids_of, member_name};

/// The name of the service in access logs.
const SERVICE: &str = "Life Rooms";

/// An event, and who did it.
#[derive(Debug)]
pub struct Seen {
    event: Written,
    who: Who,
    own: bool,
    /// Another member, whom the entry names.
    other: Option<Id>,
}

impl Seen {
    /// The event's place in the list.
    pub fn key(&self) -> Id {
        self.event.id
    }

    /// Another member, whom the entry names.
    pub fn other(&self) -> Option<Id> {
        self.other
    }
}

impl From<Seen> for AccessLogEntry {
    fn from(Seen { event, who, own, .. }: Seen) -> Self {
        Self {
            at: event.at,
            who,
            action: event.action,
            what: event.resource_kind,
            fields: event.fields.0,
            purpose: event.purpose.and_then(|purpose| purpose.parse().ok()),
            own,
        }
    }
}

/// A part of a member's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The access log: without what safeguards somebody, and without what is about a relationship of which the member may
    /// not know today.
    Log,
    /// What safeguards somebody, and nothing else.
    Safeguarding,
}

/// A page of a part of a member's events, the newest first.
pub fn list(
    conn: &mut Conn,
    (member_id, part): (Id, Part),
    filter: &AccessLogFilter,
    slice: &Slice<Id>,
    today: NaiveDate,
) -> Result<Vec<Seen>> {
    let people = ids_of(conn, member_id)?;
    let mut accounts: Vec<Id> =
        users::table.filter(users::member_id.eq_any(people.clone())).select(users::id).load(conn)?;
    // What the member did by the link of a mail, without an account.
    accounts.extend(&people);
    let mut query = audit_events::table.select(Written::as_select()).into_boxed();
    query = match people.as_slice() {
        // The index has the member's events in order. With several people they have to be sorted.
        [one] => query.filter(audit_events::member_id.eq(*one)),
        several => query.filter(audit_events::member_id.eq_any(several.to_vec())),
    };
    let is_open = audit_events::purpose.is_null().or(audit_events::purpose.ne(Purpose::Safeguarding));
    query = match part {
        Part::Log => query.filter(audit_events::resource_kind.ne(HIDDEN_KIND).and(is_open)),
        Part::Safeguarding => {
            let hidden = audit_events::purpose.eq(Purpose::Safeguarding);
            query.filter(audit_events::resource_kind.eq(HIDDEN_KIND).or(hidden))
        }
    };
    // A relationship that isn't there any more may have been one of which the member never knew.
    let known = relationships::known_to(conn, &people, today)?;
    let may_be_shown = audit_events::resource_id.is_null().or(audit_events::resource_id.eq_any(known));
    query = query.filter(audit_events::resource_kind.ne(relationships::KIND).or(may_be_shown));
    if let Some(after) = slice.after {
        query = query.filter(audit_events::id.lt(after));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_events::at.ge(london_midnight(from)));
    }
    if let Some(end) = filter.to.and_then(|to| to.succ_opt()) {
        query = query.filter(audit_events::at.lt(london_midnight(end)));
    }
    if filter.own == Some(false) {
        let by_others = audit_events::actor_id.is_null().or(audit_events::actor_id.ne_all(accounts.clone()));
        query = query.filter(by_others);
    }
    let events: Vec<Written> = query.order(audit_events::id.desc()).limit(slice.fetch()).load(conn)?;
    let names = Names::of(conn, &events, &people)?;
    let show = |event: Written| {
        let own = event.actor_id.is_some_and(|actor| accounts.contains(&actor));
        Seen { who: names.who(&event), own, other: names.other(&event), event }
    };
    Ok(events.into_iter().map(show).collect())
}

/// An account. Its present role and partner are for events that don't have those of then.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Account {
    id: Id,
    display_name: Option<String>,
    role: String,
    partner_id: Option<Id>,
    member_id: Option<Id>,
}

/// The names of those who did something.
pub struct Names {
    accounts: HashMap<Id, Account>,
    /// The partners of API clients.
    clients: HashMap<Id, Id>,
    partners: HashMap<Id, String>,
    /// Members other than the one whose log it is, such as a carer. Their accounts have no display name.
    others: HashMap<Id, String>,
}

impl Names {
    fn of(conn: &mut Conn, events: &[Written], people: &[Id]) -> Result<Self> {
        let actors = |kind: &str| -> Vec<Id> {
            events.iter().filter(|event| event.actor_kind == kind).filter_map(|event| event.actor_id).collect()
        };
        let partners = events.iter().filter_map(|event| event.partner_id).collect();
        let names = Self::load(conn, actors("user"), actors("client"), partners)?;
        let others = names.accounts.values().filter_map(|account| account.member_id);
        let others = others_by_name(conn, others.filter(|id| !people.contains(id)).collect())?;
        Ok(Self { others, ..names })
    }

    /// The names of these accounts.
    pub fn of_accounts(conn: &mut Conn, ids: Vec<Id>) -> Result<Self> {
        Self::load(conn, ids, Vec::new(), Vec::new())
    }

    fn load(conn: &mut Conn, users: Vec<Id>, clients: Vec<Id>, mut partners: Vec<Id>) -> Result<Self> {
        let rows = users::table.filter(users::id.eq_any(users)).select(Account::as_select());
        let rows: Vec<Account> = rows.load(conn)?;
        let accounts: HashMap<_, _> = rows.into_iter().map(|account| (account.id, account)).collect();
        let columns = (api_clients::id, api_clients::partner_id);
        let rows: Vec<(Id, Id)> =
            api_clients::table.filter(api_clients::id.eq_any(clients)).select(columns).load(conn)?;
        let clients: HashMap<_, _> = rows.into_iter().collect();
        let present = accounts.values().filter_map(|account| account.partner_id).chain(clients.values().copied());
        partners.extend(present);
        let rows: Vec<(Id, String)> =
            partners::table.filter(partners::id.eq_any(partners)).select((partners::id, partners::name)).load(conn)?;
        Ok(Self { accounts, clients, partners: rows.into_iter().collect(), others: HashMap::new() })
    }

    /// Another member who did it, if their name is known.
    fn other(&self, event: &Written) -> Option<Id> {
        let account = event.actor_id.and_then(|id| self.accounts.get(&id))?;
        account.member_id.filter(|id| self.others.contains_key(id))
    }

    fn who(&self, event: &Written) -> Who {
        match event.actor_kind.as_str() {
            "user" => {
                let other = self.other(event).and_then(|id| self.others.get(&id)).cloned();
                let who = self.account(event.actor_id, event.actor_role.as_deref(), event.partner_id);
                Who { name: who.name.or(other), ..who }
            }
            "client" => {
                let client = event.actor_id.and_then(|id| self.clients.get(&id)).copied();
                let organisation = self.partner(event.partner_id.or(client));
                Who { name: Some("its system".to_owned()), role: ActorRole::Partner, organisation }
            }
            _ => Who { name: None, role: ActorRole::System, organisation: Some(SERVICE.to_owned()) },
        }
    }

    /// An account, with the role and the partner that it had then, where those are known.
    pub fn account(&self, id: Option<Id>, role: Option<&str>, partner: Option<Id>) -> Who {
        let account = id.and_then(|id| self.accounts.get(&id));
        let role = role.or(account.map(|account| account.role.as_str()));
        // Only accounts of members are ever deleted.
        let role = role.and_then(|role| role.parse().ok()).unwrap_or(ActorRole::Member);
        let organisation = match role {
            ActorRole::Member => None,
            ActorRole::Partner => self.partner(partner.or(account.and_then(|account| account.partner_id))),
            _ => Some(SERVICE.to_owned()),
        };
        Who { name: account.and_then(|account| account.display_name.clone()), role, organisation }
    }

    /// Whether there is such an account.
    pub fn knows(&self, account: Id) -> bool {
        self.accounts.contains_key(&account)
    }

    fn partner(&self, id: Option<Id>) -> Option<String> {
        id.and_then(|id| self.partners.get(&id)).cloned()
    }
}

/// The names of these members, as they are shown.
fn others_by_name(conn: &mut Conn, ids: Vec<Id>) -> Result<HashMap<Id, String>> {
    let rows: Vec<(Id, MemberNames)> =
        members::table.filter(members::id.eq_any(ids)).select((members::id, NAMES)).load(conn)?;
    Ok(rows.into_iter().map(|(id, names)| (id, member_name(id, names).display_name)).collect())
}
