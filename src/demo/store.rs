//! Writes the demo into the database: many rows at a time, in transactions short enough for a server that runs beside
//! it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::Value;

use super::Plan;
use super::sessions::Sessions;
use crate::db::schema::{
    bookings, consents, hostings, member_words, members, partners, prescription_items, prescription_needs,
    prescriptions, programmes, registers, session_series, sites, venues, walk_ins,
};
use crate::db::{Conn, Db, Id, Json, Timestamp};
use crate::error::Result;
use crate::members::names::{WordRow, word_rows};
use crate::sessions::listings;
use crate::sessions::series::store as series_store;
use crate::sessions::store::{self as session_store, SessionRow};
use crate::sessions::wordings::Wording;

/// How many rows one transaction writes.
const BATCH: usize = 2_000;
/// How many rows one statement writes. PostgreSQL takes 65,535 values in one statement, SQLite 32,766; a session has
/// 38.
const CHUNK: usize = 500;

/// What the database already holds, by the names that the demo uses.
pub(super) struct Known {
    pub(super) has_members: bool,
    pub(super) venues: HashMap<String, Id>,
    pub(super) sites: HashMap<String, Id>,
    pub(super) partners: HashMap<String, Id>,
    pub(super) programmes: HashMap<(Id, String), Id>,
    /// By partner and external id.
    pub(super) series: HashSet<(Option<Id>, Option<String>)>,
}

/// Reads what is there.
pub(super) fn known(conn: &mut Conn) -> Result<Known> {
    let member: Option<Id> = members::table.select(members::id).first(conn).optional()?;
    let venues: Vec<(String, Id)> = venues::table.select((venues::slug, venues::id)).load(conn)?;
    let sites: Vec<(String, Id)> = sites::table.select((sites::slug, sites::id)).load(conn)?;
    let partners: Vec<(String, Id)> = partners::table.select((partners::slug, partners::id)).load(conn)?;
    let programmes: Vec<(Id, String, Id)> =
        programmes::table.select((programmes::partner_id, programmes::slug, programmes::id)).load(conn)?;
    let series: Vec<(Option<Id>, Option<String>)> = session_series::table
        .filter(session_series::external_id.is_not_null())
        .select((session_series::partner_id, session_series::external_id))
        .load(conn)?;
    Ok(Known {
        has_members: member.is_some(),
        venues: venues.into_iter().collect(),
        sites: sites.into_iter().collect(),
        partners: partners.into_iter().collect(),
        programmes: programmes.into_iter().map(|(partner, slug, id)| ((partner, slug), id)).collect(),
        series: series.into_iter().collect(),
    })
}

/// Writes everything. If something fails, what was written stays: start again with an empty database.
pub(super) async fn write(db: &Db, plan: Plan, progress: impl Fn(&str)) -> Result<()> {
    let Plan { places, sessions, people, prescriptions, attendance } = plan;
    progress("writing venues, sites and partners …");
    let venues = places.venues;
    db.write(move |conn| venues.iter().try_for_each(|row| crate::venues::store::insert(conn, row))).await?;
    insert_partners(db, places.partners).await?;
    insert_programmes(db, places.programmes).await?;
    insert_sites(db, places.sites).await?;
    insert_hostings(db, places.hostings).await?;
    progress(&format!("writing {} sessions …", sessions.sessions.len()));
    insert_sessions(db, sessions).await?;
    progress(&format!("writing {} people …", people.members.len()));
    let named = |row: &MemberRow| word_rows(row.id, [row.given_name, row.family_name.as_str()]);
    let words = people.members.iter().flat_map(named).collect();
    insert_members(db, people.members).await?;
    insert_member_words(db, words).await?;
    insert_consents(db, people.consents).await?;
    progress(&format!("writing {} prescriptions …", prescriptions.prescriptions.len()));
    insert_prescriptions(db, prescriptions.prescriptions).await?;
    insert_needs(db, prescriptions.needs).await?;
    insert_items(db, prescriptions.items).await?;
    let (booked, walked_in) = (attendance.bookings.len(), attendance.walk_ins.len());
    progress(&format!("writing {booked} bookings and {walked_in} walk-ins …"));
    insert_bookings(db, attendance.bookings).await?;
    insert_walk_ins(db, attendance.walk_ins).await?;
    insert_registers(db, attendance.registers).await
}

async fn insert_sessions(db: &Db, Sessions { series, sessions }: Sessions) -> Result<()> {
    let wordings: Arc<Vec<Wording>> = Arc::new(series.iter().map(Wording::from).collect());
    db.write(move |conn| series_store::insert_many(conn, &series)).await?;
    let mut rows = sessions.into_iter().map(|session| session.row).peekable();
    while rows.peek().is_some() {
        let (batch, wordings): (Vec<SessionRow>, _) = (rows.by_ref().take(BATCH).collect(), Arc::clone(&wordings));
        db.write(move |conn| {
            listings::keep(conn, wordings.iter(), &batch)?;
            session_store::insert_many(conn, &batch)
        })
        .await?;
    }
    Ok(())
}

macro_rules! inserts {
    ($($name:ident: $row:ty => $table:path;)+) => { $(
        async fn $name(db: &Db, rows: Vec<$row>) -> Result<()> {
            let rows = Arc::new(rows);
            for start in (0..rows.len()).step_by(BATCH) {
                let rows = Arc::clone(&rows);
                db.write(move |conn| {
                    let end = rows.len().min(start + BATCH);
                    for chunk in rows[start..end].chunks(CHUNK) {
                        // Once per backend: the common connection can't insert many rows in one statement.
                        crate::per_backend!(conn, |inner| diesel::insert_into($table).values(chunk).execute(inner)?);
                    }
                    Ok(())
                })
                .await?;
            }
            Ok(())
        }
    )+ };
}

inserts! {
    insert_partners: PartnerRow => partners::table;
    insert_programmes: ProgrammeRow => programmes::table;
    insert_sites: SiteRow => sites::table;
    insert_hostings: HostingRow => hostings::table;
    insert_members: MemberRow => members::table;
    insert_member_words: WordRow => member_words::table;
    insert_consents: ConsentRow => consents::table;
    insert_prescriptions: PrescriptionRow => prescriptions::table;
    insert_needs: NeedRow => prescription_needs::table;
    insert_items: ItemRow => prescription_items::table;
    insert_bookings: BookingRow => bookings::table;
    insert_walk_ins: WalkInRow => walk_ins::table;
    insert_registers: RegisterRow => registers::table;
}

#[derive(Insertable)]
#[diesel(table_name = partners, treat_none_as_default_value = false)]
pub(super) struct PartnerRow {
    id: Id,
    slug: String,
    name: String,
    kind: String,
    description: Option<String>,
    status: &'static str,
    roster_version: i32,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl PartnerRow {
    pub(super) fn new(id: Id, slug: &str, name: &str, kind: &str, description: Option<&str>, at: Timestamp) -> Self {
        Self {
            id,
            slug: slug.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            description: description.map(str::to_owned),
            status: "active",
            roster_version: 0,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = programmes)]
pub(super) struct ProgrammeRow {
    id: Id,
    partner_id: Id,
    slug: String,
    name: String,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ProgrammeRow {
    pub(super) fn new(id: Id, partner_id: Id, slug: &str, name: &str, at: Timestamp) -> Self {
        let (slug, name) = (slug.to_owned(), name.to_owned());
        Self { id, partner_id, slug, name, version: 1, created_at: at, updated_at: at }
    }
}

#[derive(Insertable)]
#[diesel(table_name = sites)]
pub(super) struct SiteRow {
    id: Id,
    slug: &'static str,
    name: &'static str,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl SiteRow {
    pub(super) fn new(id: Id, slug: &'static str, name: &'static str, at: Timestamp) -> Self {
        Self { id, slug, name, version: 1, created_at: at, updated_at: at }
    }
}

#[derive(Insertable)]
#[diesel(table_name = hostings, treat_none_as_default_value = false)]
pub(super) struct HostingRow {
    pub(super) id: Id,
    pub(super) site_id: Id,
    pub(super) venue_id: Id,
    pub(super) partner_id: Option<Id>,
    pub(super) starts_on: NaiveDate,
    pub(super) ends_on: Option<NaiveDate>,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = members, treat_none_as_default_value = false)]
pub(super) struct MemberRow {
    pub(super) id: Id,
    pub(super) preferred_name: Option<String>,
    pub(super) given_name: &'static str,
    pub(super) family_name: String,
    pub(super) given_key: String,
    pub(super) family_key: String,
    pub(super) pronouns: Option<String>,
    pub(super) date_of_birth: Option<NaiveDate>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) postcode: Option<String>,
    pub(super) local_authority: Option<&'static str>,
    pub(super) local_authority_code: Option<&'static str>,
    pub(super) nhs_number: Option<String>,
    pub(super) gp_practice_code: Option<String>,
    pub(super) roles: Json<Vec<&'static str>>,
    pub(super) contact_preferences: Json<Value>,
    pub(super) emergency_contact: Option<Json<Value>>,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
pub(super) struct ConsentRow {
    pub(super) id: Id,
    pub(super) member_id: Id,
    pub(super) purpose: &'static str,
    pub(super) partner_id: Option<Id>,
    pub(super) decision: &'static str,
    pub(super) evidence: &'static str,
    pub(super) recorded_by: Id,
    pub(super) recorded_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = prescriptions, treat_none_as_default_value = false)]
pub(super) struct PrescriptionRow {
    pub(super) id: Id,
    pub(super) member_id: Id,
    pub(super) origin: &'static str,
    pub(super) advisor_id: Option<Id>,
    pub(super) site_id: Option<Id>,
    pub(super) what_matters: Option<&'static str>,
    pub(super) status: &'static str,
    pub(super) status_reason: Option<&'static str>,
    pub(super) developed_on: Option<NaiveDate>,
    pub(super) review_on: Option<NaiveDate>,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = prescription_needs, treat_none_as_default_value = false)]
pub(super) struct NeedRow {
    pub(super) prescription_id: Id,
    pub(super) domain: &'static str,
    pub(super) position: i32,
    pub(super) severity: Option<i32>,
}

#[derive(Insertable)]
#[diesel(table_name = prescription_items, treat_none_as_default_value = false)]
pub(super) struct ItemRow {
    pub(super) id: Id,
    pub(super) prescription_id: Id,
    pub(super) position: i32,
    pub(super) need: Option<&'static str>,
    pub(super) kind: &'static str,
    pub(super) series_id: Option<Id>,
    pub(super) partner_id: Option<Id>,
    pub(super) goal: Option<&'static str>,
    pub(super) status: &'static str,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = bookings, treat_none_as_default_value = false)]
pub(super) struct BookingRow {
    pub(super) id: Id,
    pub(super) session_id: Id,
    pub(super) member_id: Id,
    pub(super) status: &'static str,
    pub(super) delivery: &'static str,
    pub(super) family: i32,
    pub(super) carers: i32,
    pub(super) seats: i32,
    pub(super) reference: String,
    pub(super) booked_by: Id,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = walk_ins)]
pub(super) struct WalkInRow {
    pub(super) session_id: Id,
    pub(super) member_id: Id,
    pub(super) created_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = registers)]
pub(super) struct RegisterRow {
    pub(super) session_id: Id,
    pub(super) beneficiaries: i32,
    pub(super) family: i32,
    pub(super) carers: i32,
    pub(super) taken_by: Id,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}
