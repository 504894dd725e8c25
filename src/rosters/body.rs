//! A posting as it came: its bytes, and what of it has to be known before anything is looked up.
//!
//! The bytes are kept and nothing else of the body: every look at the entries reads them from there again, one at a
//! time, so that a roster of 16 MiB is never in memory as a tree.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web::Bytes;
use csv::StringRecord;

use super::check;
use super::read::{self, Form, RawEntry};
use super::sheet;
use super::types::Manner;
use crate::db::Id;
use crate::error::{Error, Result};
use crate::http::body::{RawBody, kept};
use crate::http::context::Context;
use crate::http::turn::Turn;

/// The bytes of a body as they are read, again and again. A workbook is unpacked in its sender's turn, and its own bytes are
/// not kept.
///
/// # Errors
/// 429 or 503 if too much is unpacked or kept already, and those of [`sheet::packed`].
pub async fn packed(context: &Context, form: Form, body: RawBody) -> Result<Bytes> {
    let RawBody { bytes, charset, .. } = body;
    let turn = match form {
        Form::Xlsx => Some(context.state().workbook_turns.for_request(context.owner()).await?),
        Form::Csv => None,
        Form::Json | Form::Lines => return Ok(bytes),
    };
    let packing = actix_web::web::block(move || {
        let packed = sheet::packed(form, charset.as_deref(), &bytes);
        drop(turn);
        Ok::<_, Error>(packed?.ok_or(bytes))
    });
    match packing.await.map_err(Error::blocking)?? {
        Ok(packed) => kept(context.state(), context.owner(), packed),
        Err(bytes) => Ok(bytes),
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its index among the entries.
    pub index: usize,
    /// Its line, in CSV, NDJSON and workbooks.
    pub line: Option<i32>,
}

/// A well-formed posting.
#[derive(Debug)]
pub struct Posting {
    /// Whose it is.
    pub partner_id: Id,
    /// How it was written.
    pub form: Form,
    /// How it is to be taken.
    pub manner: Manner,
    bytes: Bytes,
    /// Every `external_id` that can be read, and where it stands first.
    names: HashMap<String, Place>,
    /// Whether every entry has one.
    all_named: bool,
    /// Whether any entry states a register.
    has_registers: bool,
    total: usize,
    checked: Arc<AtomicUsize>,
    /// The turn that it has, as long as anybody works on it: also when its client has hung up.
    turn: Option<Turn>,
}

impl Posting {
    /// Reads a posting once through. `bytes` are those of [`packed`].
    ///
    /// # Errors
    /// 400 where the body is not well-formed; 422 where it is no roster ([`read::each`]).
    pub fn read(partner_id: Id, form: Form, manner: Manner, bytes: Bytes) -> Result<Self> {
        let mut names = HashMap::new();
        let (mut index, mut all_named, mut has_registers) = (0, true, false);
        let total = read::each(form, &bytes, manner.unknown, &mut |raw| {
            has_registers |= raw.value.get("register").is_some_and(|register| !register.is_null());
            match check::external_id(&raw) {
                Some(name) => {
                    names.entry(name.to_owned()).or_insert(Place { index, line: raw.line });
                }
                None => all_named = false,
            }
            index += 1;
        })?;
        Ok(Self {
            partner_id,
            form,
            manner,
            bytes,
            names,
            all_named,
            has_registers,
            total,
            checked: Arc::default(),
            turn: None,
        })
    }

    /// Counts the entries that have been checked in here, for others to see.
    pub fn counting(self, checked: Arc<AtomicUsize>) -> Self {
        Self { checked, ..self }
    }

    /// Keeps its turn.
    pub fn holding(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    /// Has the next posting wait for so long after this one has ended.
    pub fn rest_after(&self, rest: Duration) {
        self.turn.iter().for_each(|turn| turn.rest_after(rest));
    }

    /// Calls `take` with each entry and its index.
    ///
    /// # Errors
    /// None that [`Posting::read`] would not have met.
    pub fn each(&self, mut take: impl FnMut(usize, RawEntry)) -> Result<()> {
        let mut index = 0;
        read::each(self.form, &self.bytes, self.manner.unknown, &mut |raw| {
            take(index, raw);
            index += 1;
            self.checked.store(index, Ordering::Relaxed);
        })?;
        Ok(())
    }

    /// Calls `take` with the header of a sheet, and with each row that is an entry: the cells and the line. Nothing where
    /// it isn't a sheet.
    ///
    /// # Errors
    /// That of `take`.
    pub fn each_row(&self, take: &mut dyn FnMut(i32, &StringRecord) -> Result<()>) -> Result<()> {
        match self.form {
            Form::Csv | Form::Xlsx => sheet::each_row(self.form, &self.bytes, take),
            Form::Json | Form::Lines => Ok(()),
        }
    }

    /// How many entries it has.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Every `external_id` in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Whether every entry says what it is about. Where one doesn't, nothing can be said to be missing.
    pub fn names_all(&self) -> bool {
        self.all_named
    }

    /// Whether any entry states a register, sound or not.
    pub fn has_registers(&self) -> bool {
        self.has_registers
    }

    /// Where an `external_id` stands first.
    pub fn place(&self, external_id: &str) -> Option<Place> {
        self.names.get(external_id).copied()
    }
}
