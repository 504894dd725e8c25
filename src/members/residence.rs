//! The local authority that a member lives in, and what the postcode says about it.
//!
//! The postcode is known only if an operator has imported the postcodes. A local authority that somebody gives stands,
//! even if the postcode is in another: the record then says so.

use super::store::MemberRow;
use super::types::{MemberInput, MemberPatch};
use crate::db::Conn;
use crate::error::Result;
use crate::places::LocalAuthority;
use crate::postcodes::store as postcodes;
use crate::text::postcode;

/// The name of the field in the record and in the audit.
pub(super) const FIELD: &str = "local_authority";

/// The local authority that a postcode is in, as far as the service knows.
fn of(conn: &mut Conn, text: Option<&str>) -> Result<Option<LocalAuthority>> {
    match text.and_then(postcode::read) {
        Some(postcode) => postcodes::local_authority(conn, &postcode),
        None => Ok(None),
    }
}

/// Fills in the local authority of a new member from the postcode, if the request gives none.
pub(super) fn fill_in(conn: &mut Conn, written: &mut MemberInput) -> Result<()> {
    if written.local_authority.is_none() {
        written.local_authority = of(conn, written.postcode.as_deref())?.map(|found| found.name.to_owned());
    }
    Ok(())
}

/// The same for a change. Somebody who moves house gets the local authority of the new postcode, if the old one was the
/// old postcode's and the request doesn't name another.
pub(super) fn follow(conn: &mut Conn, old: &MemberRow, patch: &MemberPatch, written: &mut MemberInput) -> Result<()> {
    let moves = patch.names_one("postcode") && !patch.names_one(FIELD);
    if !moves || old.local_authority_code.is_none() {
        return fill_in(conn, written);
    }
    let before = of(conn, old.postcode.as_deref())?;
    let fitted = before.is_some_and(|found| Some(found.code) == old.local_authority_code.as_deref());
    if let Some(found) = of(conn, written.postcode.as_deref())?.filter(|_| fitted) {
        written.local_authority = Some(found.name.to_owned());
    }
    Ok(())
}

/// Whether the postcode is in another local authority than the record says.
pub(super) fn differs(conn: &mut Conn, row: &MemberRow) -> Result<bool> {
    let Some(code) = row.local_authority_code.as_deref() else { return Ok(false) };
    Ok(of(conn, row.postcode.as_deref())?.is_some_and(|found| found.code != code))
}
