//! A member as they are shown: the row, and what is looked up beside it.

use chrono::NaiveDate;

use super::access_needs::rules::Sharing;
use super::access_needs::store as access_needs;
use super::store::MemberRow;
use super::types::Member;
use super::{preferences, residence};
use crate::db::Conn;
use crate::error::Result;
use crate::http::conditional::Tag;

/// A member as they are shown on this day.
pub fn show(conn: &mut Conn, row: MemberRow, today: NaiveDate) -> Result<Member> {
    let needs =
        access_needs::in_brief(conn, &[row.id], Sharing::Everything, today)?.remove(&row.id).unwrap_or_default();
    let row = row.preferring(preferences::decided(conn, row.id, row.written().contact_preferences)?);
    Ok(Member {
        id: row.id,
        local_authority_mismatch: residence::differs(conn, &row)?,
        local_authority_code: row.local_authority_code.clone(),
        has_access_needs: needs.any(),
        access_needs_review_due: needs.review_due,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        written: row.into(),
    })
}

/// The tag of a member. It isn't the version alone, because what is looked up changes without a new version.
pub fn tag(member: &Member) -> Result<Tag> {
    Tag::live(member.version, member)
}
