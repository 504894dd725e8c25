//! A register as a page to print and as CSV.

use askama::Template;
use chrono::NaiveDate;

use super::store::{self, Access};
use super::types::{Register, RegisteredMember};
use crate::auth::policy::RegisterReader;
use crate::auth::viewer::Viewer;
use crate::clock::london_day;
use crate::db::types::TextEnum;
use crate::http::prelude::*;
use crate::members::sharing::read_shared;
use crate::sessions::types::Session;
use crate::sessions::view;
use crate::tables::{self, Cell, Form};

/// What these operations read.
type Asked = Extract<(Allowed<RegisterReader>, Path<Id>, NoQuery)>;

/// Get a session's register as a page to print
///
/// As the register, for whoever takes it on paper: who is booked, with a box to tick and what they need, room for people
/// who come without a booking, and the headcount. A partner sees the names of those who consent to be shared with it, and
/// of the others the reference.
#[utoipa::path(operation_id = "get_register_page", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["registers:read"])))]
#[get("/v1/sessions/{id}/register.html")]
pub async fn get_register_page(request: Asked) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _)) = request;
    let (session, register) = read(&who, session_id).await?;
    let page = Page::of(&session, &register).render().map_err(Error::internal)?;
    Ok(who.show_text(Cache::Never, "text/html; charset=utf-8", page))
}

/// Get a session's register as CSV
///
/// A row for each booking, then a row for each walk-in, whose `status` is `walk_in`. The headcount isn't in it.
#[utoipa::path(operation_id = "get_register_as_csv", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The bookings and walk-ins", body = String, content_type = "text/csv"), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["registers:read"])))]
#[get("/v1/sessions/{id}/register.csv")]
pub async fn get_register_as_csv(request: Asked) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _)) = request;
    let (session, register) = read(&who, session_id).await?;
    let mut response = who.show_text(Cache::Never, tables::CSV_UTF8, table(&register)?);
    tables::name_file(&mut response, &format!("register-{}", session.local_start.0.date()), Form::Csv);
    Ok(response)
}

/// A register with its session. Who looked is recorded for each person in it.
async fn read(who: &Context, session_id: Id) -> Result<(Session, Register)> {
    let (context, access) = (who.clone(), Access::of(who.caller()?)?);
    read_shared(&who.state().db, access.reach, move |conn| {
        let today: NaiveDate = london_day(context.now());
        let shown = store::read(conn, session_id, access, today)?;
        let session = view::get(conn, session_id, Viewer::of(context.anyone()))?.as_of(context.now());
        let events = super::handlers::reads(&context, session_id, &shown.people);
        Ok(((session, shown.register), events))
    })
    .await
}

/// The names of what somebody needs, in words.
fn needs(member: &RegisteredMember) -> String {
    let needs = member.access_needs.iter().map(|need| need.code.replace('_', " "));
    needs.collect::<Vec<_>>().join(", ")
}

fn table(register: &Register) -> Result<Vec<u8>> {
    let mut table = tables::writer(Form::Csv, &["reference", "display_name", "status", "attended", "access_needs"])?;
    let name =
        |member: &Option<RegisteredMember>| Cell::text(member.as_ref().map(|member| member.display_name.clone()));
    let codes = |member: &Option<RegisteredMember>| {
        let codes = member.iter().flat_map(|member| &member.access_needs).map(|need| need.code.clone());
        Cell::text(codes.collect::<Vec<_>>().join("|"))
    };
    for booking in &register.bookings {
        let attended = booking.attended.map_or(Cell::Empty, |came| Cell::from(if came { "yes" } else { "no" }));
        let reference = Cell::from(booking.reference.as_str());
        let status = Cell::from(booking.status.name());
        table.row(&[reference, name(&booking.member), status, attended, codes(&booking.member)])?;
    }
    for walk_in in &register.walk_ins {
        let (name, codes) = (name(&walk_in.member), codes(&walk_in.member));
        table.row(&[Cell::Empty, name, Cell::from("walk_in"), Cell::from("yes"), codes])?;
    }
    table.end()
}

#[derive(Template)]
#[template(path = "register.html")]
struct Page<'a> {
    title: &'a str,
    when: String,
    place: Option<&'a str>,
    bookings: Vec<Line>,
    walk_ins: Vec<Line>,
    /// Empty until the register is taken: somebody writes them in.
    heads: [String; 3],
}

struct Line {
    mark: &'static str,
    reference: String,
    name: String,
    needs: String,
}

impl<'a> Page<'a> {
    fn of(session: &'a Session, register: &Register) -> Self {
        let line = |mark, reference: &str, member: &Option<RegisteredMember>| Line {
            mark,
            reference: reference.to_owned(),
            name: member.as_ref().map(|member| member.display_name.clone()).unwrap_or_default(),
            needs: member.as_ref().map(needs).unwrap_or_default(),
        };
        let mark = |attended: Option<bool>| match attended {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "",
        };
        let heads = &register.headcount;
        let heads = [heads.beneficiaries, heads.family, heads.carers];
        let is_taken = register.version > 0;
        let bookings = register.bookings.iter().map(|one| line(mark(one.attended), &one.reference, &one.member));
        Self {
            title: &session.title,
            when: session.local_start.0.format("%A %-d %B %Y, %H:%M").to_string(),
            place: session.venue.as_ref().map(|venue| venue.name.as_str()),
            bookings: bookings.collect(),
            walk_ins: register.walk_ins.iter().map(|walk_in| line("", "", &walk_in.member)).collect(),
            heads: heads.map(|count| if is_taken { count.to_string() } else { String::new() }),
        }
    }
}
