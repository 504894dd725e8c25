//! The state that all handlers share.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;
use serde_json::Value;

use super::budget::BodyBudget;
use super::coding::Fixed;
use super::context::Context;
use super::rates::Rates;
use super::turn::Turns;
use crate::auth::password::Hasher;
use crate::auth::throttle::Throttle;
use crate::auth::token::Tokens;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Conn, Db, Id};
use crate::error::Result;

/// The state that all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub db: Db,
    /// The time and new identifiers.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// Makes and verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Hashes passwords, a few at a time.
    pub hasher: Arc<Hasher>,
    /// Bounds how often passwords are guessed.
    pub throttle: Arc<Throttle>,
    /// Bounds how many requests one caller sends.
    pub rates: Arc<Rates>,
    /// The memory for rosters.
    pub rosters: Arc<BodyBudget>,
    /// The memory for all other bodies.
    pub bodies: Arc<BodyBudget>,
    /// Lets one roster at a time be planned.
    pub plan_turns: Arc<Turns>,
    /// Lets one workbook at a time be unpacked.
    pub workbook_turns: Arc<Turns>,
    /// Lets a few very long answers be made at a time.
    pub long_answers: Arc<Turns>,
    /// Functions that `http` needs from the modules above it.
    pub hooks: Hooks,
    /// Set when the server has been told to stop.
    pub stop: Arc<AtomicBool>,
}

/// Functions of the modules above `http` that `http` calls. The `app` module fills them in.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Returns those of the members whose data may be shown to the partner.
    pub shared_with: fn(&mut Conn, Id, &[Id]) -> Result<HashSet<Id>>,
    /// Returns the members for whom this member may book on a day.
    pub cared_for: fn(&mut Conn, Id, NaiveDate) -> Result<Vec<Id>>,
    /// Called when a partner's status has changed: its sessions may take people again.
    pub partner_changed: fn(&mut Conn, &Context, Id) -> Result<()>,
    /// Called when it may have changed whether this member may be offered a seat: whoever waits with them may be next.
    pub may_be_offered_changed: fn(&mut Conn, &Context, Id) -> Result<()>,
    /// Brings the waiting lists of sessions up to date.
    pub settle_sessions: fn(&mut Conn, &Context, &[Id]) -> Result<()>,
    /// Takes bookings away, gives their seats back, and returns them whole.
    pub set_bookings_aside: fn(&mut Conn, &Context, &[Id]) -> Result<Vec<Value>>,
    /// Puts such bookings back. Returns whether there was room for all of them.
    pub put_bookings_back: fn(&mut Conn, &Context, &[Value]) -> Result<bool>,
    /// The OpenAPI document as JSON.
    pub document_json: fn() -> &'static Fixed,
    /// The OpenAPI document as YAML.
    pub document_yaml: fn() -> &'static Fixed,
    /// The vocabularies of the document, as JSON.
    pub vocabularies: fn() -> &'static Fixed,
}

impl State {
    /// Whether the server has been told to stop and takes no new work.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
