//! Reports over HTTP.

use actix_web::http::header::ETAG;
use serde::Serialize;
use serde_json::Value;

use super::rules::{self, Question, Reader};
use super::store;
use super::types::{AttendanceFilter, AttendanceReport, Days, PrescriptionFilter, PrescriptionReport};
use crate::audit;
use crate::auth::caller::Role;
use crate::auth::policy::Reports;
use crate::clock::london_day;
use crate::http::conditional::Tag;
use crate::http::prelude::*;

const PRESCRIPTIONS: &str = "Social prescriptions that have been activated, whatever became of them afterwards, each \
    counted once, on the London day on which it was developed. Drafts, and drafts that were declined, never count. \
    The local authority is that of the venue that hosted the prescription's site on that day. A prescription without \
    a site, or whose site had no venue on that day, counts under no local authority: in totals without that filter, \
    and in the row whose key is null.";

const ATTENDANCE: &str = "Attendance by members that was recorded in a register: bookings marked attended, and \
    walk-ins. distinct_members counts each person once however often they came; attendances counts every visit. \
    Absences never count. The local authority is that of the session's venue, the site the one that the venue hosted \
    on that day. A session that is only online has neither: nobody came to the venue that it names. In a hybrid session the seat decides whether somebody attended in person or online; walk-ins and \
    headcounts count as in person there. headcount is the sum of people counted by head who are not members; some of \
    them may have been counted at several sessions, and it must never be added to distinct_members. Each row counts \
    its distinct members by itself: the same person can be in several rows, so rows needn't add up to the totals.";

/// Count prescriptions
///
/// Counts activated prescriptions by the day they were developed. An analyst asks for a period and gets rounded
/// figures, in which 1 to 7 are null. An admin gets exact figures, which aren't for publication.
#[utoipa::path(operation_id = "report_prescriptions", tag = "reports", params(PrescriptionFilter),
    responses((status = 200, description = "The counts", body = PrescriptionReport), Problems))]
#[get("/v1/reports/prescriptions")]
pub async fn report_prescriptions(
    request: Extract<(Allowed<Reports>, Query<PrescriptionFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let (reader, days) = allowed(&who, &filter.question())?;
    let asked = filter.clone();
    let counted = who.state().db.read_long(move |conn| store::prescriptions(conn, &asked, days)).await?;
    record_read(&who, reader, "prescriptions", &filter).await?;
    let disclosure = reader.disclosure();
    let shown = disclosure.show(counted, ["prescriptions"]);
    show(&who, &PrescriptionReport::new(PRESCRIPTIONS, who.now(), days, filter, disclosure, shown))
}

/// Count attendance
///
/// Counts distinct members, attendances and headcounts by the day of the session. An analyst asks for a period and gets
/// rounded figures, in which 1 to 7 are null. An admin gets exact figures, which aren't for publication.
#[utoipa::path(operation_id = "report_attendance", tag = "reports", params(AttendanceFilter),
    responses((status = 200, description = "The counts", body = AttendanceReport), Problems))]
#[get("/v1/reports/attendance")]
pub async fn report_attendance(request: Extract<(Allowed<Reports>, Query<AttendanceFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let (reader, days) = allowed(&who, &filter.question())?;
    let asked = filter.clone();
    let counted = who.state().db.read_long(move |conn| store::attendance(conn, &asked, days)).await?;
    record_read(&who, reader, "attendance", &filter).await?;
    let disclosure = reader.disclosure();
    let shown = disclosure.show(counted, ["distinct_members", "attendances", "headcount"]);
    show(&who, &AttendanceReport::new(ATTENDANCE, who.now(), days, filter, disclosure, shown))
}

/// 200 with a report. Its tag is weak and leaves out `as_of`: it changes with the figures, not with every reading.
fn show(context: &Context, report: &impl Serialize) -> Result<HttpResponse> {
    let mut figures = serde_json::to_value(report).map_err(Error::internal)?;
    figures.as_object_mut().and_then(|report| report.remove("as_of"));
    let mut response = context.show_plain(Cache::Never, report)?;
    let tag = format!("W/{}", Tag::of(&figures)?).parse().map_err(Error::internal)?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// The reader of a report, and the days that the answer is about.
///
/// # Errors
/// 400 that names the parameter, if the reader may not ask this question.
fn allowed(who: &Allowed<Reports>, question: &Question) -> Result<(Reader, Days)> {
    let reader = match who.caller()?.role {
        Role::Admin => Reader::Manager,
        _ => Reader::Analyst,
    };
    let days = rules::days(reader, question, who.state().config.reports_since, london_day(who.now()))?;
    Ok((reader, days))
}

/// Records in the audit that a manager read exact figures: which report, and with which filters. The event holds
/// nobody's data. The answer is sent once the event is on disk.
async fn record_read(who: &Allowed<Reports>, reader: Reader, name: &str, filter: &impl Serialize) -> Result<()> {
    if reader != Reader::Manager {
        return Ok(());
    }
    let mut fields = vec![name.to_owned()];
    let filter = serde_json::to_value(filter).map_err(Error::internal)?;
    for (parameter, value) in filter.as_object().into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let texts = values.iter().filter_map(Value::as_str);
        fields.extend(texts.map(|text| format!("{parameter}={text}")));
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let event = who.event("read", Subject { kind: "report", id: None, member_id: None }, &fields);
    who.write_anew(move |conn| audit::record(conn, std::slice::from_ref(&event))).await
}
