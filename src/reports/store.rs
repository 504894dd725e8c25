//! The counts of reports. The database counts, so no rows are loaded.

use diesel::prelude::*;

use super::areas::store::places;
use super::disclosure::{Counted, Exact};
use super::sql::{Bind, Grouping, Lines, Sql, Tally};
use super::types::{AttendanceFilter, Days, GroupBy, PrescriptionFilter};
use crate::db::schema::{partners, programmes, sites};
use crate::db::types::TextEnum;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};

/// A filter with its days, and the local authorities of its area.
struct Scope<'a, F> {
    filter: &'a F,
    days: Days,
    places: Vec<String>,
}

/// Counts prescriptions of these days.
///
/// # Errors
/// 400 if a filter names something that doesn't exist.
pub fn prescriptions(conn: &mut Conn, filter: &PrescriptionFilter, days: Days) -> Result<Counted<[Exact; 1]>> {
    let places = places(conn, filter.area.as_deref(), &filter.local_authority)?;
    let named = sites::table.filter(sites::id.eq_any(&filter.site_id)).select(sites::id);
    check_known("site_id", &filter.site_id, named.load(conn)?)?;
    let scope = Scope { filter, days, places };
    let totals = prescription_lines(conn, &scope, None)?.only();
    let rows = match filter.group_by {
        Some(by) => prescription_lines(conn, &scope, Some(by))?.rows(),
        None => Vec::new(),
    };
    Ok(Counted { totals, rows })
}

/// Refuses a filter that names something which doesn't exist: its figures would be zeros that look like counts.
///
/// # Errors
/// 400 that names the parameter.
fn check_known(parameter: &'static str, named: &[Id], known: Vec<Id>) -> Result<()> {
    match named.iter().find(|id| !known.contains(id)) {
        Some(id) => Err(Error::parameter(parameter, "unknown", format!("There is none with the id {id}."))),
        None => Ok(()),
    }
}

fn prescription_lines(conn: &mut Conn, scope: &Scope<'_, PrescriptionFilter>, by: Option<GroupBy>) -> Result<Lines<1>> {
    let filter = scope.filter;
    let grouping = Grouping::new(conn, by, "p.developed_on");
    let mut sql = Sql::default();
    sql.push(&format!("SELECT {}, COUNT(*) AS first, CAST(0 AS BIGINT) AS second", grouping.columns));
    // The hostings of a site don't overlap, so at most one matches a day.
    sql.push(
        " FROM prescriptions p LEFT JOIN sites st ON st.id = p.site_id \
         LEFT JOIN hostings h ON h.site_id = p.site_id AND h.starts_on <= p.developed_on \
         AND (h.ends_on IS NULL OR h.ends_on >= p.developed_on) \
         LEFT JOIN venues v ON v.id = h.venue_id \
         WHERE p.status <> 'draft' AND p.developed_on IS NOT NULL",
    );
    sql.and_day("p.developed_on", ">=", scope.days.from);
    sql.and_day("p.developed_on", "<=", scope.days.to);
    sql.and_either("v.local_authority", names(&scope.places));
    sql.and_either("p.site_id", ids(&filter.site_id));
    sql.and_either("p.origin", texts(&filter.origin));
    sql.push(" GROUP BY 1, 2");
    let mut lines = Lines::new();
    lines.add(&grouping, sql.load(conn)?, 0)?;
    Ok(lines)
}

type Attendance<'a> = Scope<'a, AttendanceFilter>;

/// Counts distinct members, attendances and headcounts, in this order, of these days.
///
/// # Errors
/// 400 if a filter names something that doesn't exist.
pub fn attendance(conn: &mut Conn, filter: &AttendanceFilter, days: Days) -> Result<Counted<[Exact; 3]>> {
    let places = places(conn, filter.area.as_deref(), &filter.local_authority)?;
    let named = partners::table.filter(partners::id.eq_any(&filter.partner_id)).select(partners::id);
    check_known("partner_id", &filter.partner_id, named.load(conn)?)?;
    let named = programmes::table.filter(programmes::id.eq_any(&filter.programme_id)).select(programmes::id);
    check_known("programme_id", &filter.programme_id, named.load(conn)?)?;
    let scope = Scope { filter, days, places };
    let totals = attendance_lines(conn, &scope, None)?.only();
    let rows = match filter.group_by {
        Some(by) => attendance_lines(conn, &scope, Some(by))?.rows(),
        None => Vec::new(),
    };
    Ok(Counted { totals, rows })
}

fn attendance_lines(conn: &mut Conn, scope: &Attendance<'_>, by: Option<GroupBy>) -> Result<Lines<3>> {
    let grouping = Grouping::new(conn, by, "s.starts_on");
    let mut lines = Lines::new();
    lines.add(&grouping, members(conn, scope, &grouping)?, 0)?;
    lines.add(&grouping, heads(conn, scope, &grouping)?, 2)?;
    Ok(lines)
}

/// Distinct members and attendances: bookings marked attended, and walk-ins.
fn members(conn: &mut Conn, scope: &Attendance<'_>, grouping: &Grouping) -> Result<Vec<Tally>> {
    let mut sql = Sql::default();
    sql.push(grouping.outer());
    sql.push(", COUNT(DISTINCT member_id) AS first, COUNT(*) AS second FROM (");
    sql.push(&format!("SELECT {}, b.member_id AS member_id", grouping.columns));
    chosen_sessions(&mut sql, scope, grouping, "bookings b", "b.session_id = s.id AND b.status = 'attended'");
    taken_part(&mut sql, scope.filter, "CASE s.delivery WHEN 'hybrid' THEN b.delivery ELSE s.delivery END");
    sql.push(&format!(" UNION ALL SELECT {}, w.member_id AS member_id", grouping.columns));
    chosen_sessions(&mut sql, scope, grouping, "walk_ins w", "w.session_id = s.id");
    taken_part(&mut sql, scope.filter, AT_THE_DOOR);
    sql.push(") AS seen");
    sql.push(grouping.group_by());
    sql.load(conn)
}

/// The headcounts of people who aren't members.
fn heads(conn: &mut Conn, scope: &Attendance<'_>, grouping: &Grouping) -> Result<Vec<Tally>> {
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT {}, CAST(SUM(r.beneficiaries + r.family + r.carers) AS BIGINT) AS first, CAST(0 AS BIGINT) AS second",
        grouping.columns
    ));
    chosen_sessions(&mut sql, scope, grouping, "registers r", "r.session_id = s.id");
    sql.push(" AND r.beneficiaries + r.family + r.carers > 0");
    taken_part(&mut sql, scope.filter, AT_THE_DOOR);
    sql.push(" GROUP BY 1, 2");
    sql.load(conn)
}

/// How somebody without a seat took part. In a hybrid session this counts as in person.
const AT_THE_DOOR: &str = "CASE s.delivery WHEN 'online' THEN 'online' ELSE 'in_person' END";

/// The sessions that match the filter (`s`), what they say (`said`) if the filter asks for it, the venues that people come
/// to (`v`), their sites (`st`) if rows are by site, and another table with a condition. `CROSS JOIN` makes SQLite start
/// from the sessions instead of looking up a session for every row.
fn chosen_sessions(sql: &mut Sql, scope: &Attendance<'_>, grouping: &Grouping, table: &str, condition: &str) {
    // Nobody comes to the venue of an online session.
    sql.push(" FROM sessions s LEFT JOIN venues v ON v.id = s.venue_id AND s.delivery <> 'online'");
    if grouping.is_by_site() {
        sql.push(
            " LEFT JOIN hostings h ON h.venue_id = v.id AND h.starts_on <= s.starts_on \
             AND (h.ends_on IS NULL OR h.ends_on >= s.starts_on) LEFT JOIN sites st ON st.id = h.site_id",
        );
    }
    let filter = scope.filter;
    if !(filter.pillar.is_empty() && filter.programme_id.is_empty()) {
        sql.push(" LEFT JOIN wordings said ON said.id = s.wording_id");
    }
    sql.push(&format!(" CROSS JOIN {table} WHERE {condition}"));
    sql.and_day("s.starts_on", ">=", scope.days.from);
    sql.and_day("s.starts_on", "<=", scope.days.to);
    sql.and_either("v.local_authority", names(&scope.places));
    sql.and_either("said.pillar", texts(&filter.pillar));
    sql.and_either("s.partner_id", ids(&filter.partner_id));
    sql.and_either("said.programme_id", ids(&filter.programme_id));
}

fn taken_part(sql: &mut Sql, filter: &AttendanceFilter, expression: &str) {
    sql.and_either(expression, texts(&filter.delivery));
}

fn names(values: &[String]) -> impl Iterator<Item = Bind> {
    values.iter().map(|name| Bind::Name(name.clone()))
}

fn texts(values: &[impl TextEnum]) -> impl Iterator<Item = Bind> {
    values.iter().map(|value| Bind::Name(value.name().into()))
}

fn ids(values: &[Id]) -> impl Iterator<Item = Bind> {
    values.iter().map(|id| Bind::Id(*id))
}
