//! The rows that move from one record to the other: their keys, and how they are handed over.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::schema::{
    access_needs, bookings, calendar_links, consents, equality_answers, exports, members, messages, one_time_links,
    prescriptions, relationships, safeguarding_flags, users, walk_ins,
};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;

/// The change of a row that moves. With a version, it is a new one.
macro_rules! change {
    ($table:ident, $column:ident, $new:expr, $now:expr, versioned) => {
        ($table::$column.eq($new), $table::version.eq($table::version + 1), $table::updated_at.eq($now))
    };
    ($table:ident, $column:ident, $new:expr, $now:expr, plain) => {
        $table::$column.eq($new)
    };
}

/// Declares the tables whose rows move: the name of the list, the column with the member, the column with the key, and
/// whether a row has a version.
macro_rules! moved {
    ($($name:ident: $table:ident.$column:ident by $key:ident, $kind:ident;)+) => {
        /// The keys of the rows that move.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        #[expect(missing_docs, reason = "each is named as its table")]
        pub struct Moved {
            $(pub $name: Vec<Id>,)+
            pub access_needs: bool,
            pub equality_answers: bool,
        }

        impl Moved {
            /// The rows of this member.
            pub fn of(conn: &mut Conn, member: Id) -> Result<Self> {
                Ok(Self {
                    $($name: $table::table
                        .filter($table::$column.eq(member))
                        .order($table::$key)
                        .select($table::$key)
                        .load(conn)?,)+
                    access_needs: access_needs::table.find(member).count().get_result::<i64>(conn)? > 0,
                    equality_answers: equality_answers::table.find(member).count().get_result::<i64>(conn)? > 0,
                })
            }

            /// Hands the rows over from one member to the other. A row that doesn't belong to the first stays.
            pub fn hand_over(&self, conn: &mut Conn, (old, new): (Id, Id), now: Timestamp) -> Result<()> {
                $(for keys in self.$name.chunks(AT_ONCE) {
                    let rows = $table::table.filter($table::$key.eq_any(keys)).filter($table::$column.eq(old));
                    diesel::update(rows).set(change!($table, $column, new, now, $kind)).execute(conn)?;
                })+
                if self.access_needs {
                    let change = change!(access_needs, member_id, new, now, versioned);
                    diesel::update(access_needs::table.find(old)).set(change).execute(conn)?;
                }
                if self.equality_answers {
                    let change = change!(equality_answers, member_id, new, now, versioned);
                    diesel::update(equality_answers::table.find(old)).set(change).execute(conn)?;
                }
                Ok(())
            }

            /// How many rows of each kind move.
            pub fn counts(&self) -> BTreeMap<&'static str, usize> {
                let mut counts = BTreeMap::new();
                $(*counts.entry(stringify!($table)).or_default() += self.$name.len();)+
                counts.insert("access_needs", self.access_needs.into());
                counts.insert("equality_answers", self.equality_answers.into());
                counts
            }
        }
    };
}

moved! {
    consents: consents.member_id by id, plain;
    prescriptions: prescriptions.member_id by id, versioned;
    bookings: bookings.member_id by id, versioned;
    walk_ins: walk_ins.member_id by session_id, plain;
    calendar_links: calendar_links.member_id by id, versioned;
    users: users.member_id by id, versioned;
    relationships_from: relationships.from_member by id, versioned;
    relationships_to: relationships.to_member by id, versioned;
    safeguarding_flags: safeguarding_flags.member_id by id, versioned;
    messages: messages.member_id by id, plain;
    messages_to_carers: messages.cared_for by id, plain;
    one_time_links: one_time_links.member_id by id, plain;
    exports: exports.member_id by id, versioned;
    pointers: members.merged_into by id, versioned;
}
