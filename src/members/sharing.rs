//! Which members a partner may see: those whose consent to share with this partner, the last one recorded, allows it.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::db::schema::consents;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;

/// Of these members, those who consent to be shared with this partner.
///
/// The consent recorded last decides, by `recorded_at` and then by id, even if its text speaks of an earlier day.
pub fn shared_with(conn: &mut Conn, partner_id: Id, members: &[Id]) -> Result<HashSet<Id>> {
    let mut last: HashMap<Id, String> = HashMap::new();
    for chunk in members.chunks(AT_ONCE) {
        let decisions: Vec<(Id, String)> = consents::table
            .filter(consents::member_id.eq_any(chunk))
            .filter(consents::purpose.eq("share_with_partner"))
            .filter(consents::partner_id.eq(partner_id))
            .order((consents::recorded_at, consents::id))
            .select((consents::member_id, consents::decision))
            .load(conn)?;
        last.extend(decisions);
    }
    Ok(last.into_iter().filter(|(_, decision)| decision == "given").map(|(member, _)| member).collect())
}
