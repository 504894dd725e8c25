//! How people could be reached by a record that was merged into another one of theirs.
//!
//! The joined record says one address. Whoever looks for the person by the other one still finds them: an advisor in a
//! search, and the look for duplicates. A row belongs to the old id. It goes if the merge is undone, and when the person is
//! erased.

use diesel::prelude::*;

use super::store::MemberRow;
use crate::db::schema::{members, merged_contacts};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// How many records are looked at for one address at most.
const MOST: i64 = 500;

/// How a record could be reached.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = merged_contacts)]
pub struct ContactRow {
    member_id: Id,
    /// The e-mail address as it is compared.
    pub email_key: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The postcode.
    pub postcode: Option<String>,
    created_at: Timestamp,
}

/// Remembers how an old record could be reached. Nothing is written if it says nothing.
pub fn remember(conn: &mut Conn, old: &MemberRow, now: Timestamp) -> Result<()> {
    let (email_key, phone, postcode) = (old.email_key.clone(), old.phone.clone(), old.postcode.clone());
    if email_key.is_some() || phone.is_some() || postcode.is_some() {
        let row = ContactRow { member_id: old.id, email_key, phone, postcode, created_at: now };
        diesel::insert_into(merged_contacts::table).values(&row).execute(conn)?;
    }
    Ok(())
}

/// Forgets how an old record could be reached: it stands by itself again.
pub fn forget(conn: &mut Conn, id: Id) -> Result<()> {
    diesel::delete(merged_contacts::table.find(id)).execute(conn)?;
    Ok(())
}

/// How the record with this old id could be reached.
pub fn of(conn: &mut Conn, old: Id) -> Result<Option<ContactRow>> {
    Ok(merged_contacts::table.find(old).select(ContactRow::as_select()).first(conn).optional()?)
}

/// How a person could be reached by the records that were merged into theirs.
pub fn of_all(conn: &mut Conn, into: Id) -> Result<Vec<ContactRow>> {
    let old = merged_contacts::table.inner_join(members::table).filter(members::merged_into.eq(into));
    Ok(old.order(merged_contacts::member_id).limit(MOST).select(ContactRow::as_select()).load(conn)?)
}

macro_rules! ways {
    ($($(#[$doc:meta])* $name:ident: $column:ident;)+) => { $(
        $(#[$doc])*
        pub fn $name(conn: &mut Conn, wanted: &str) -> Result<Vec<(Id, ContactRow)>> {
            let old = merged_contacts::table
                .inner_join(members::table)
                .filter(merged_contacts::$column.eq(wanted))
                .filter(members::merged_into.is_not_null());
            let columns = (members::merged_into.assume_not_null(), ContactRow::as_select());
            Ok(old.limit(MOST).select(columns).load(conn)?)
        }
    )+ };
}

ways! {
    /// The records into which those with this e-mail address were merged.
    by_email_key: email_key;
    /// The records into which those with this telephone number were merged.
    by_phone: phone;
    /// The records into which those with this postcode were merged.
    by_postcode: postcode;
}
