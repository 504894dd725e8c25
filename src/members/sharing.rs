//! Which members a partner may see: those whose last recorded consent to share with it says so.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::db::schema::consents;
use crate::db::{Conn, Id};
use crate::error::Result;

/// Bound values of one statement stay far below what either database takes.
const AT_ONCE: usize = 1000;

/// Of these members, the ones who consent to be shared with this partner.
///
/// The consent recorded last decides, by `recorded_at` and then by id, whatever day it speaks of.
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
