//! An SQL statement put together from text. Diesel's query builder can't group a union.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text};

use super::disclosure::{Exact, Line};
use super::types::GroupBy;
use crate::db::types::DbUuid;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};

/// A value bound to a statement.
pub(super) enum Bind {
    Id(Id),
    Day(NaiveDate),
    Name(String),
}

/// The text and the bound values of a statement. On both databases the values are numbered `$1`, `$2` as they are
/// added.
#[derive(Default)]
pub(super) struct Sql {
    text: String,
    binds: Vec<Bind>,
}

impl Sql {
    /// Adds text. The text must never contain a value.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        self.text.push_str(&format!("${}", self.binds.len()));
    }

    /// Adds ` AND <expression><operator><day>` if there is a day.
    pub(super) fn and_day(&mut self, expression: &str, operator: &str, day: Option<NaiveDate>) {
        if let Some(day) = day {
            self.push(&format!(" AND {expression} {operator} "));
            self.bind(Bind::Day(day));
        }
    }

    /// Adds ` AND <expression> IN (…)`, or nothing if the list is empty.
    pub(super) fn and_either(&mut self, expression: &str, values: impl IntoIterator<Item = Bind>) {
        let mut separator = format!(" AND {expression} IN (");
        let mut any = false;
        for value in values {
            self.push(&separator);
            self.bind(value);
            separator = ", ".to_owned();
            any = true;
        }
        if any {
            self.push(")");
        }
    }

    /// Runs a statement that has the columns `key`, `label`, `first` and `second`.
    pub(super) fn load(self, conn: &mut Conn) -> Result<Vec<Tally>> {
        // Once per backend: a statement with values that are only known at run time is built for one database.
        crate::per_backend!(conn, |inner| {
            let mut query = diesel::sql_query(self.text).into_boxed();
            for bind in self.binds {
                query = match bind {
                    Bind::Id(id) => query.bind::<DbUuid, _>(id),
                    Bind::Day(day) => query.bind::<Date, _>(day),
                    Bind::Name(name) => query.bind::<Text, _>(name),
                };
            }
            Ok(query.load::<Tally>(inner)?)
        })
    }
}

/// One row of a statement.
#[derive(QueryableByName)]
pub(super) struct Tally {
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    second: i64,
}

/// How the rows of a report are grouped.
pub(super) struct Grouping {
    /// The columns `key` and `label`.
    pub(super) columns: String,
    by: Option<GroupBy>,
}

impl Grouping {
    /// Groups by the tables `st` (sites) and `v` (venues), or by the month of `day`. `None` counts everything in one
    /// group.
    pub(super) fn new(conn: &Conn, by: Option<GroupBy>, day: &str) -> Self {
        let columns = match (by, conn) {
            (None, _) => "'all' AS key, 'all' AS label".to_owned(),
            (Some(GroupBy::LocalAuthority), _) => "v.local_authority AS key, v.local_authority AS label".to_owned(),
            (Some(GroupBy::Site), Conn::Postgres(_)) => "CAST(st.id AS text) AS key, st.name AS label".to_owned(),
            (Some(GroupBy::Site), Conn::Sqlite(_)) => "hex(st.id) AS key, st.name AS label".to_owned(),
            (Some(GroupBy::Month), Conn::Postgres(_)) => {
                format!("to_char({day}, 'YYYY-MM') AS key, to_char({day}, 'YYYY-MM') AS label")
            }
            (Some(GroupBy::Month), Conn::Sqlite(_)) => {
                format!("substr({day}, 1, 7) AS key, substr({day}, 1, 7) AS label")
            }
        };
        Self { columns, by }
    }

    /// The columns of a statement around a grouped one.
    pub(super) fn outer(&self) -> &'static str {
        if self.by.is_some() { "SELECT key, label" } else { "SELECT 'all' AS key, 'all' AS label" }
    }

    /// The end of a statement around a grouped one. A single group has no GROUP BY, which would sort every row.
    pub(super) fn group_by(&self) -> &'static str {
        if self.by.is_some() { " GROUP BY key, label" } else { "" }
    }

    /// Whether rows are sites.
    pub(super) fn is_by_site(&self) -> bool {
        self.by == Some(GroupBy::Site)
    }

    /// The key, written the same for both databases. SQLite's `hex` of no id is an empty text.
    fn key(&self, key: Option<String>) -> Result<Option<String>> {
        match key {
            Some(key) if self.is_by_site() && key.is_empty() => Ok(None),
            Some(key) if self.is_by_site() => {
                Ok(Some(uuid::Uuid::try_parse(&key).map_err(Error::internal)?.to_string()))
            }
            key => Ok(key),
        }
    }
}

/// Lines by label and key, so that they are sorted by name. Lines without a key come last.
pub(super) struct Lines<const N: usize>(BTreeMap<(bool, Option<String>, Option<String>), [Exact; N]>);

impl<const N: usize> Lines<N> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds the counts of a statement: `first` to column `at` and `second` to the next column.
    pub(super) fn add(&mut self, grouping: &Grouping, tallies: Vec<Tally>, at: usize) -> Result<()> {
        for tally in tallies {
            let key = grouping.key(tally.key)?;
            let label = key.as_ref().and(tally.label);
            let counts = self.0.entry((key.is_none(), label, key)).or_insert([Exact::default(); N]);
            for (offset, count) in [tally.first, tally.second].into_iter().enumerate() {
                if let Some(cell) = counts.get_mut(at + offset) {
                    cell.add(count);
                }
            }
        }
        Ok(())
    }

    /// The counts of the only group; zeros if nothing was counted.
    pub(super) fn only(self) -> [Exact; N] {
        self.0.into_values().next().unwrap_or([Exact::default(); N])
    }

    /// The lines, sorted.
    pub(super) fn rows(self) -> Vec<Line<[Exact; N]>> {
        let line = |((_, label, key), counts)| Line { key, label, counts };
        self.0.into_iter().map(line).collect()
    }
}
