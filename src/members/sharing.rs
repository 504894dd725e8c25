//! Which members share their data with a partner, now.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::consents::types::{ConsentDecision, ConsentPurpose};
use crate::db::schema::consents;
use crate::db::{Conn, Id};
use crate::error::Result;

/// Those of the members who have given consent to share with this partner and not withdrawn it: the last consent
/// recorded decides.
///
/// # Errors
/// Those of the database.
pub fn shared_with(conn: &mut Conn, partner_id: Id, member_ids: &[Id]) -> Result<HashSet<Id>> {
    let mut last: HashMap<Id, ConsentDecision> = HashMap::new();
    // SQLite takes a limited number of values in one statement.
    for chunk in member_ids.chunks(500) {
        let rows: Vec<(Id, ConsentDecision)> = consents::table
            .filter(consents::member_id.eq_any(chunk))
            .filter(consents::purpose.eq(ConsentPurpose::ShareWithPartner))
            .filter(consents::partner_id.eq(partner_id))
            .order((consents::recorded_at, consents::id))
            .select((consents::member_id, consents::decision))
            .load(conn)?;
        last.extend(rows);
    }
    Ok(last.into_iter().filter(|(_, decision)| *decision == ConsentDecision::Given).map(|(member, _)| member).collect())
}
