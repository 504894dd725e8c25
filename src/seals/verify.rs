//! Checks that the audit is whole. Reads one snapshot of the database, in small parts, beside a running server.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use diesel::dsl::min;
use diesel::prelude::*;

use super::head::{Head, Standing};
use super::store::{Seal, ids_in};
use super::walk::{Found, Loose, sealed_before, seals_after, waiting_after};
use super::{NOTHING, signed_bytes};
use crate::audit::hash::{Hash, Link};
use crate::clock::first_id_at;
use crate::db::schema::audit_seals;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The root of a seal doesn't fit its events.
    Changed,
    /// An event is gone.
    Deleted,
    /// An event is in no seal and doesn't wait for one.
    Inserted,
    /// An event or a list of events holds something that the service never writes.
    Unreadable,
    /// A seal doesn't follow the one before.
    Broken,
    /// A seal isn't signed by the service.
    Unsigned,
    /// A seal is another than the one that was known.
    Replaced,
}

/// What to check.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Begin with the last seal before the first one that was made at this instant or later. The seals before are taken
    /// as they are.
    pub from: Option<Timestamp>,
    /// Seals that are known from elsewhere: from a head file, from the log.
    pub known: Vec<Head>,
    /// The public keys of the service, by their ids.
    pub keys: HashMap<String, Vec<u8>>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many seals were read.
    pub seals: u64,
    /// How many events were read.
    pub events: u64,
    /// How many of them wait for their seal.
    pub waiting: u64,
    /// How many events memory held at most at a time.
    pub held: usize,
    /// The newest seal; `None` if there is none.
    pub newest: Option<Head>,
    /// Known seals that the chain doesn't reach.
    pub behind: Vec<Head>,
    /// The first fault of each kind as a sentence, and how many there are.
    pub faults: BTreeMap<Fault, (String, u64)>,
}

impl Report {
    fn add(&mut self, fault: Fault, sentence: impl FnOnce() -> String) {
        self.faults.entry(fault).or_insert_with(|| (sentence(), 0)).1 += 1;
    }
}

/// How many events that have met no seal memory holds at most: some 10 MB.
const MOST_HELD: usize = 100_000;

/// Checks the audit.
///
/// # Errors
/// Those of the database. What is wrong with the audit is in the report.
pub fn verify(conn: &mut Conn, wanted: &Wanted) -> Result<Report> {
    verify_holding(conn, wanted, MOST_HELD)
}

/// As [`verify`], with so many events in memory: after that, events are looked up one seal at a time.
///
/// # Errors
/// As [`verify`].
pub fn verify_holding(conn: &mut Conn, wanted: &Wanted, most: usize) -> Result<Report> {
    let mut report = Report::default();
    let (mut number, mut previous) = before(conn, wanted.from)?;
    let skipped = number;
    let mut loose = Loose::from(wanted.from.filter(|_| skipped > 0).map(first_id_at), most);
    loop {
        let seals = seals_after(conn, number)?;
        let Some(last) = seals.last() else { break };
        let end = last.number;
        for seal in &seals {
            check_link(&mut report, seal, number, &previous);
            check_signature(&mut report, seal, &wanted.keys);
            check_events(conn, &mut report, seal, &mut loose)?;
            (number, previous) = (seal.number, seal.root.clone());
            report.seals += 1;
        }
        number = end;
    }
    report.newest = (number > 0).then(|| Head::new(number, &previous));
    check_rest(conn, &mut report, &mut loose, skipped)?;
    for head in &wanted.known {
        match head.standing(conn)? {
            Standing::Has => {}
            Standing::Behind => report.behind.push(head.clone()),
            Standing::Differs => {
                report.add(Fault::Replaced, || format!("seal {} isn't the one that was known", head.number));
            }
        }
    }
    (report.events, report.held) = (loose.read, loose.held);
    Ok(report)
}

/// The number and the root of the last seal that isn't checked.
///
/// Whoever owns the database can change the dates of seals. The date of a seal is in its root, so the last seal that is
/// dated before `from` is checked too: it can't be dated back. After the first seal that is dated `from` or later every
/// seal is checked, whatever its date: the clock may have been put back.
fn before(conn: &mut Conn, from: Option<Timestamp>) -> Result<(i64, Vec<u8>)> {
    let Some(from) = from else { return Ok((0, NOTHING.to_vec())) };
    let dated = audit_seals::table.filter(audit_seals::sealed_at.ge(from));
    let first: Option<i64> = dated.select(min(audit_seals::number)).first(conn)?;
    let earlier = audit_seals::table.filter(audit_seals::number.lt(first.unwrap_or(i64::MAX)));
    let newest = earlier.order(audit_seals::number.desc()).select((audit_seals::number, audit_seals::root)).limit(2);
    let two: Vec<(i64, Vec<u8>)> = newest.load(conn)?;
    Ok(two.into_iter().nth(1).unwrap_or((0, NOTHING.to_vec())))
}

fn check_link(report: &mut Report, seal: &Seal, number: i64, previous: &[u8]) {
    let at = seal.number;
    if at != number + 1 {
        report.add(Fault::Broken, || format!("after seal {number} comes seal {at}"));
    } else if seal.previous != previous {
        report.add(Fault::Broken, || format!("seal {at} doesn't follow seal {number}"));
    }
}

fn check_signature(report: &mut Report, seal: &Seal, keys: &HashMap<String, Vec<u8>>) {
    let (at, id) = (seal.number, &seal.key_id);
    let Some(key) = keys.get(id) else {
        return report
            .add(Fault::Unsigned, || format!("seal {at} is signed with the key {id}, which isn't the service's"));
    };
    if UnparsedPublicKey::new(&ED25519, key).verify(&signed_bytes(&seal.root), &seal.signature).is_err() {
        report.add(Fault::Unsigned, || format!("the signature of seal {at} doesn't fit"));
    }
}

fn check_events(conn: &mut Conn, report: &mut Report, seal: &Seal, loose: &mut Loose) -> Result<()> {
    let at = seal.number;
    let Ok(ids) = ids_in(seal.event_ids.as_deref().unwrap_or_default()) else {
        report.add(Fault::Changed, || format!("the list of events of seal {at} can't be read"));
        return Ok(());
    };
    let found = loose.take(conn, &ids)?;
    let mut hashes: Vec<Hash> = Vec::with_capacity(ids.len());
    for (id, found) in ids.iter().zip(found) {
        match found {
            Found::Event(hash) => hashes.push(hash),
            Found::Gone => report.add(Fault::Deleted, || format!("event {id} of seal {at} is gone")),
            Found::Unreadable => report.add(Fault::Unreadable, || format!("event {id} of seal {at} can't be read")),
        }
    }
    // With an event gone, the root can't be worked out.
    if hashes.len() < ids.len() {
        return Ok(());
    }
    let note = seal.note.as_deref();
    let link = Link { previous: &seal.previous, number: at, sealed_at: seal.sealed_at, note };
    let is_sorted = ids.is_sorted() && usize::try_from(seal.count).is_ok_and(|count| count == ids.len());
    if !is_sorted || seal.root != link.root(&hashes) {
        report.add(Fault::Changed, || {
            let made = seal.sealed_at;
            format!("seal {at}, made at {made}, doesn't fit its {} events or its own row", ids.len())
        });
    }
    Ok(())
}

/// What is in no seal must wait for one.
fn check_rest(conn: &mut Conn, report: &mut Report, loose: &mut Loose, skipped: i64) -> Result<()> {
    loose.read_rest(conn)?;
    let mut key = None;
    loop {
        let writes = waiting_after(conn, key)?;
        let Some((last, _)) = writes.last() else { break };
        key = Some(*last);
        for (first, _) in writes.iter().filter(|(_, ids)| ids.is_none()) {
            report.add(Fault::Unreadable, || format!("the list of events that begins with {first} can't be read"));
        }
        let ids: Vec<Id> = writes.into_iter().filter_map(|(_, ids)| ids).flatten().collect();
        report.waiting += ids.len() as u64;
        let found = loose.take(conn, &ids)?;
        for (id, found) in ids.iter().zip(found) {
            let waits = "which waits for its seal,";
            match found {
                Found::Event(_) => {}
                Found::Gone => report.add(Fault::Deleted, || format!("event {id}, {waits} is gone")),
                Found::Unreadable => report.add(Fault::Unreadable, || format!("event {id}, {waits} can't be read")),
            }
        }
    }
    if skipped > 0 && !loose.left().is_empty() {
        // The clock of a server may have been ahead.
        let earlier = sealed_before(conn, skipped, loose.start())?;
        loose.forget(&earlier);
    }
    for id in loose.left() {
        report.add(Fault::Inserted, || format!("event {id} is in no seal and doesn't wait for one"));
    }
    Ok(())
}
