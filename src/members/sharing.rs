//! Which members a partner may see: those whose consent to share with this partner, the last one recorded, allows it.
//!
//! No answer to a partner shows a member who has withdrawn their consent before the answer was given. On PostgreSQL the
//! consents that an answer rests on stay locked until its transaction ends: a withdrawal waits for the answer, and an
//! answer that has begun before a withdrawal begins again. On SQLite the writer looks before it records who was read
//! ([`read_shared`]).

use std::collections::HashSet;

use diesel::prelude::*;

use super::consents::types::{ConsentDecision, ConsentPurpose};
use crate::audit::{self, Event};
use crate::auth::reach::Reach;
use crate::db::schema::{consent_states, partners};
use crate::db::{AT_ONCE, Conn, Db, Id};
use crate::error::Result;

/// Of these members, those who consent to be shared with this partner. The transaction must be one that may write.
pub fn shared_with(conn: &mut Conn, partner_id: Id, members: &[Id]) -> Result<HashSet<Id>> {
    let mut shared = HashSet::new();
    for chunk in members.chunks(AT_ONCE) {
        let given = consent_states::table
            .filter(consent_states::member_id.eq_any(chunk))
            .filter(consent_states::purpose.eq(ConsentPurpose::ShareWithPartner))
            .filter(consent_states::partner_id.eq(partner_id))
            .filter(consent_states::decision.eq(ConsentDecision::Given))
            .order(consent_states::member_id)
            .select(consent_states::member_id);
        // The common connection has no row locks. SQLite has one writer and needs none.
        let found: Vec<Id> = match conn {
            Conn::Postgres(postgres) => given.for_share().load(postgres)?,
            Conn::Sqlite(sqlite) => given.load(sqlite)?,
        };
        shared.extend(found);
    }
    Ok(shared)
}

/// Reads data of people for a caller with this reach, and records who read whose data, as [`Db::read_audited`]. An answer
/// to a partner that was read before a member has withdrawn their consent to share with it is read again.
///
/// # Errors
/// As [`Db::read_audited`].
pub async fn read_shared<T: Send + 'static>(
    db: &Db,
    reach: Reach,
    work: impl Fn(&mut Conn) -> Result<(T, Vec<Event>)> + Send + 'static,
) -> Result<T> {
    match reach {
        Reach::Partner(partner) => {
            let version = move |conn: &mut Conn| {
                let row = partners::table.find(partner).select(partners::consent_version);
                Ok(row.first::<i32>(conn).optional()?.unwrap_or_default())
            };
            db.read_current_and_record(version, work, audit::record).await
        }
        Reach::Everyone | Reach::Member(_) => db.read_audited(work).await,
    }
}
