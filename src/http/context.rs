//! One request as the code below the handlers sees it: its caller, time, id and conditions.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, IfMatch};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use strum::IntoEnumIterator;

use super::conditional;
use super::extract::Extractor;
use super::state::State;
use crate::audit::{Actor, Event, Purpose, Subject, purpose};
use crate::auth::caller::{Caller, CallerKind};
use crate::auth::policy::{Policy, SafeguardingAdvisor};
use crate::clock::new_id_at;
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::line::Owner;
use crate::text::network::Network;

/// The request's id in the audit. The guard makes it and keeps it with the request. It is never the id that the client
/// chose.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Everything about a request except its parameters and body. Cheap to clone into a transaction.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    state: State,
    caller: Option<Caller>,
    now: Timestamp,
    request_id: String,
    method: String,
    /// The path and query that the client sent.
    target: String,
    if_match: Option<IfMatch>,
    /// Whether the request is only for something that doesn't exist yet: `If-None-Match: *`.
    only_new: bool,
    idempotency_key: Option<String>,
    /// What the request is for, if it says so.
    purpose: Option<Purpose>,
    network: Network,
}

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

impl Context {
    /// Gathers the context of a request whose caller is known.
    ///
    /// # Errors
    /// 400 if a header can't be read. 403 if the caller may not have this purpose.
    pub fn new(request: &HttpRequest, caller: Option<Caller>) -> Result<Self> {
        let state = state(request)?;
        authorization(request)?;
        let key = text_header(request, "idempotency-key")?;
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
            let detail = format!("Idempotency-Key must be 1 to {LONGEST_KEY} characters.");
            return Err(Error::parameter("Idempotency-Key", "wrong_length", detail));
        }
        let target = request.uri().path_and_query().map(|target| target.as_str().to_owned());
        Ok(Self(Arc::new(Inner {
            purpose: purpose(request, caller.as_ref())?,
            caller,
            now: state.clock.now(),
            request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            method: request.method().to_string(),
            target: target.unwrap_or_default(),
            if_match: conditional::if_match(request)?,
            only_new: conditional::is_only_new(request),
            idempotency_key: key,
            network: network_of(request),
            state,
        })))
    }

    /// The context of a request whose work is done later, by another thread or after a restart. It has the caller and
    /// the id of the request, and the present time.
    pub fn resumed(state: &State, caller: Caller, request_id: String, path: String) -> Self {
        Self(Arc::new(Inner {
            caller: Some(caller),
            now: state.clock.now(),
            request_id,
            method: "POST".into(),
            target: path,
            if_match: None,
            only_new: false,
            idempotency_key: None,
            purpose: None,
            network: Network::default(),
            state: state.clone(),
        }))
    }

    /// The state that all handlers share.
    pub fn state(&self) -> &State {
        &self.0.state
    }

    /// When the request came.
    pub fn now(&self) -> Timestamp {
        self.0.now
    }

    /// A new identifier for something this request makes.
    pub fn new_id(&self) -> Id {
        new_id_at(self.0.state.clock.now())
    }

    /// The caller; `None` if the request has no credentials.
    pub fn anyone(&self) -> Option<&Caller> {
        self.0.caller.as_ref()
    }

    /// The caller.
    ///
    /// # Errors
    /// 401 if the request has no credentials. Operations that need a caller refuse such a request earlier.
    pub fn caller(&self) -> Result<&Caller> {
        self.0.caller.as_ref().ok_or_else(|| Error::unauthenticated("This needs an access token."))
    }

    /// Whose share of the server's work this request takes.
    pub fn owner(&self) -> Owner {
        self.anyone().map_or(Owner::Network(self.network()), |caller| Owner::Caller(caller.owner()))
    }

    /// Runs one write transaction in the turn of whoever sent this request. An `Idempotency-Key` doesn't count.
    ///
    /// # Errors
    /// As [`crate::db::Db::write_for`].
    pub async fn write_anew<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.state().db.write_for(self.owner(), work).await
    }

    /// The network that the request came from.
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// The request's id in the audit.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The path and query of the request.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.0.target.split('?').next().unwrap_or_default()
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The `Idempotency-Key`, if it was sent.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// The `If-Match`, if it was sent.
    pub(super) fn if_match(&self) -> Option<&IfMatch> {
        self.0.if_match.as_ref()
    }

    /// Whether the request is only for something that doesn't exist yet.
    pub(super) fn is_only_new(&self) -> bool {
        self.0.only_new
    }

    /// An audit event of this request: the caller did `action` to `subject`. `fields` holds names of fields, no values.
    pub fn event(&self, action: &'static str, subject: Subject, fields: &[&str]) -> Event {
        let actor = match self.anyone() {
            Some(caller) if caller.kind == CallerKind::User => {
                Actor::user(caller.id, caller.role.name(), caller.partner_id)
            }
            Some(caller) => Actor::client(caller.id, caller.role.name(), caller.partner_id),
            None => Actor::SYSTEM,
        };
        // What members do with their own data needs no purpose.
        let usual = if self.is_own(subject) { None } else { purpose::usual(action, subject) };
        let event = Event::new(self.now(), actor, self.request_id(), action, subject, fields);
        let event = event.numbered_at(self.0.state.clock.now()).for_purpose(self.0.purpose.or(usual));
        if self.is_booking_for_another(subject) { event.on_behalf_of(subject.member_id) } else { event }
    }

    /// Whether the caller is a member and this is another's booking. Only a carer reaches one. A relationship, which is
    /// data of both members, is no such case: the cared-for who ends it doesn't act for the carer.
    fn is_booking_for_another(&self, subject: Subject) -> bool {
        let is_member = self.anyone().is_some_and(|caller| caller.member_id.is_some());
        is_member && subject.kind == "booking" && !self.is_own(subject)
    }

    /// Whether something is the caller's own data.
    fn is_own(&self, subject: Subject) -> bool {
        let own = self.anyone().and_then(|caller| caller.member_id);
        own.is_some() && own == subject.member_id
    }

    /// The event of reading a member's data; none for a member who reads their own.
    pub fn reads(&self, subject: Subject, fields: &[&str]) -> Vec<Event> {
        match subject.member_id {
            Some(_) if !self.is_own(subject) => vec![self.event("read", subject, fields)],
            _ => Vec::new(),
        }
    }

    /// The event of reading a list of one member's data. It is one event however long the list is, and none if the list
    /// is empty: whoever saw nothing leaves no trace in the member's access log.
    pub fn reads_list<R>(&self, subject: Subject, fields: &[&str], rows: &[R]) -> Vec<Event> {
        if rows.is_empty() { Vec::new() } else { self.reads(subject, fields) }
    }

    /// Records audit events in the present transaction.
    pub fn record(&self, conn: &mut Conn, events: &[Event]) -> Result<()> {
        crate::audit::record(conn, events)
    }
}

/// The state that the app was built with.
pub fn state(request: &HttpRequest) -> Result<State> {
    let state = request.app_data::<Data<State>>().map(|state| state.get_ref().clone());
    state.ok_or_else(|| Error::internal("the app was built without its state"))
}

/// The network that a request came from. The guard finds it out.
pub fn network_of(request: &HttpRequest) -> Network {
    request.extensions().get::<Network>().copied().unwrap_or_default()
}

/// The request's `Authorization`.
///
/// # Errors
/// 400 if it was sent more than once, because it isn't clear which one counts.
pub fn authorization(request: &HttpRequest) -> Result<Option<&HeaderValue>> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let first = values.next();
    if values.next().is_some() {
        let detail = "Authorization was sent more than once. Send it once.";
        return Err(Error::new(Kind::MalformedRequest, detail));
    }
    Ok(first)
}

/// What a request says it is for.
///
/// # Errors
/// 400 for a word that isn't a purpose. 401 or 403 for `safeguarding` from anybody but an advisor with the permission:
/// the access log leaves such events out, and nobody else may hide what they did.
fn purpose(request: &HttpRequest, caller: Option<&Caller>) -> Result<Option<Purpose>> {
    let Some(text) = text_header(request, purpose::HEADER)? else { return Ok(None) };
    let Ok(purpose) = text.parse::<Purpose>() else {
        let known: Vec<&str> = Purpose::iter().map(TextEnum::name).collect();
        return Err(Error::parameter(purpose::HEADER, "not_allowed", format!("Must be one of {}.", known.join(", "))));
    };
    if purpose == Purpose::Safeguarding {
        SafeguardingAdvisor::check(caller)?;
    }
    Ok(Some(purpose))
}

fn text_header(request: &HttpRequest, name: &str) -> Result<Option<String>> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let readable = value.to_str().ok().filter(|_| values.next().is_none());
    let text = readable.ok_or_else(|| {
        Error::new(Kind::MalformedRequest, format!("The header {name} must be given once, in plain ASCII."))
    })?;
    Ok(Some(text.to_owned()))
}

/// The context of a request that needs no caller, without looking for one. For pages and documents.
pub struct Open(pub Context);

impl Extractor for Open {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        Context::new(request, None).map(Open)
    }
}
