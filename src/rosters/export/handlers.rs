//! What a partner has, over HTTP.

use super::store::{self, VenueNames};
use super::{cells, workbook};
use crate::auth::policy::RosterReader;
use crate::clock::london_day;
use crate::http::allowed::OwnPartner;
use crate::http::prelude::*;
use crate::http::sending;
use crate::rosters::lookups::Lookups;
use crate::rosters::store::roster_version;
use crate::rosters::types::{HeldRoster, RosterTable, RosterWorkbook};
use crate::tables::{self, Form};

/// What these operations read.
type Asked = Extract<(Allowed<RosterReader>, OwnPartner, NoQuery)>;

/// Get what a partner has, as a roster
///
/// Its series and single sessions that have an `external_id` and aren't over or called off, as the entries of a roster.
/// Posted again, they are all `unchanged`. `join_link` isn't in it: a posted entry without one leaves it as it is.
#[utoipa::path(operation_id = "get_held_roster", tag = "rosters",
    params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "The entries", body = HeldRoster), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/roster.json")]
pub async fn get_held_roster(request: Asked) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), _)) = request;
    let (turn, now) = (who.state().long_answers.for_request(who.owner()).await?, who.now());
    let read = move |conn: &mut Conn| HeldRoster::new(&store::entries(conn, partner_id, VenueNames::Slugs, now)?);
    let roster = who.state().db.read_long(read).await?;
    Ok(sending::with_turn(turn, who.show_plain(Cache::Never, &roster)?))
}

/// Get what a partner has, as CSV
///
/// As `roster.json`, with the columns of the template. A text that begins like a formula has an
/// apostrophe in front: a posted sheet loses exactly that one again.
#[utoipa::path(operation_id = "get_held_roster_as_csv", tag = "rosters",
    params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "A header row and a row for each entry", body = RosterTable, content_type = "text/csv"),
        (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/roster.csv")]
pub async fn get_held_roster_as_csv(request: Asked) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), _)) = request;
    let (turn, now) = (who.state().long_answers.for_request(who.owner()).await?, who.now());
    let read = move |conn: &mut Conn| {
        let mut table = tables::writer(Form::Csv, &cells::names())?;
        for entry in store::entries(conn, partner_id, VenueNames::Slugs, now)? {
            let entry = serde_json::to_value(entry).map_err(Error::internal)?;
            table.row(&cells::of(&entry, Form::Csv))?;
        }
        table.end()
    };
    let bytes = who.state().db.read_long(read).await?;
    Ok(sending::with_turn(turn, file(&who, Form::Csv, &format!("roster-{}", london_day(now)), bytes)))
}

/// Get what a partner has, as a workbook
///
/// As `roster.json`, as a workbook of Excel with lists to choose from.
#[utoipa::path(operation_id = "get_held_roster_as_workbook", tag = "rosters",
    params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "A header row and a row for each entry", body = RosterWorkbook,
            content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/roster.xlsx")]
pub async fn get_held_roster_as_workbook(request: Asked) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), _)) = request;
    let (turn, now) = (who.state().long_answers.for_request(who.owner()).await?, who.now());
    let read = move |conn: &mut Conn| {
        let entries = store::entries(conn, partner_id, VenueNames::Titles, now)?;
        workbook::of(&entries, &Lookups::load(conn, partner_id)?)
    };
    let bytes = who.state().db.read_long(read).await?;
    Ok(sending::with_turn(turn, file(&who, Form::Xlsx, &format!("roster-{}", london_day(now)), bytes)))
}

/// Get the template of a roster as a workbook
///
/// A workbook of Excel to be filled in: a header row, and lists to choose from, such as the venues. On each cell stands
/// what to write there.
#[utoipa::path(operation_id = "get_roster_workbook_template", tag = "rosters",
    params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "A header row, and lists to choose from", body = RosterWorkbook,
            content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/rosters/template.xlsx")]
pub async fn get_roster_workbook_template(request: Asked) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), _)) = request;
    let read = move |conn: &mut Conn| {
        roster_version(conn, partner_id)?;
        workbook::template(&Lookups::load(conn, partner_id)?)
    };
    let bytes = who.state().db.read_long(read).await?;
    Ok(file(&who, Form::Xlsx, "roster", bytes))
}

/// The answer that is saved as a file.
fn file(context: &Context, form: Form, name: &str, bytes: Vec<u8>) -> HttpResponse {
    let mut response = context.show_text(Cache::Never, form.media_type(), bytes);
    tables::name_file(&mut response, name, form);
    response
}
