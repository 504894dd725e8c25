//! Reports over HTTP.

use actix_web::{HttpResponse, get};

use super::rules::{self, Counted, Shown};
use super::store;
use super::types::{
    AttendanceFilter, AttendanceReport, AttendanceRow, PrescriptionFilter, PrescriptionReport, PrescriptionRow,
    Suppression,
};
use crate::auth::caller::Role;
use crate::auth::policy::Reports;
use crate::error::Result;
use crate::http::allowed::Allowed;
use crate::http::answers::Problems;
use crate::http::extract::{Extract, Query};
use crate::http::reply::Cache;

const PRESCRIPTIONS: &str = "Social prescriptions that have been activated, whatever became of them afterwards, each \
    counted once, on the London day on which it was developed. Drafts, and drafts that were declined, never count. \
    The local authority is that of the venue that hosted the prescription's site on that day. A prescription without \
    a site, or whose site had no venue on that day, counts under no local authority: in totals without that filter, \
    and in the row whose key is null.";

const ATTENDANCE: &str = "Attendance by members that was recorded in a register: bookings marked attended, and \
    walk-ins. distinct_members counts each person once however often they came; attendances counts every visit. \
    Absences never count. The local authority is that of the session's venue, the site the one that the venue hosted \
    on that day. In a hybrid session the seat decides whether somebody attended in person or online; walk-ins and \
    headcounts count as in person there. headcount is the sum of people counted by head who are not members; some of \
    them may have been counted at several sessions, and it must never be added to distinct_members. Each row counts \
    its distinct members by itself: the same person can be in several rows, so rows needn't add up to the totals.";

/// Count prescriptions
///
/// Activated prescriptions by the day they were developed. An analyst asks for whole months and gets no small
/// numbers; a site manager gets exact figures that aren't for publication.
#[utoipa::path(operation_id = "report_prescriptions", tag = "reports", params(PrescriptionFilter),
    responses((status = 200, description = "The counts", body = PrescriptionReport), Problems),
    security(("bearer" = [])))]
#[get("/v1/reports/prescriptions")]
pub async fn report_prescriptions(
    request: Extract<(Allowed<Reports>, Query<PrescriptionFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let published = to_be_published(&who)?;
    rules::check(published, filter.from, filter.to, &filter.local_authority)?;
    let asked = filter.clone();
    let counted = who.state().db.read_long(move |conn| store::prescriptions(conn, &asked)).await?;
    let (totals, rows) = shown(published, counted, ["prescriptions"]);
    let report = PrescriptionReport {
        definition: PRESCRIPTIONS,
        as_of: who.now(),
        filters: filter,
        suppression: Suppression::new(published),
        totals: totals.into(),
        rows: rows.into_iter().map(PrescriptionRow::from).collect(),
    };
    who.show_plain(Cache::Never, &report)
}

/// Count attendance
///
/// Distinct members, attendances and headcounts by the day of the session. An analyst asks for whole months and gets
/// no small numbers; a site manager gets exact figures that aren't for publication.
#[utoipa::path(operation_id = "report_attendance", tag = "reports", params(AttendanceFilter),
    responses((status = 200, description = "The counts", body = AttendanceReport), Problems),
    security(("bearer" = [])))]
#[get("/v1/reports/attendance")]
pub async fn report_attendance(request: Extract<(Allowed<Reports>, Query<AttendanceFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let published = to_be_published(&who)?;
    rules::check(published, filter.from, filter.to, &filter.local_authority)?;
    let asked = filter.clone();
    let counted = who.state().db.read_long(move |conn| store::attendance(conn, &asked)).await?;
    let (totals, rows) = shown(published, counted, ["distinct_members", "attendances", "headcount"]);
    let report = AttendanceReport {
        definition: ATTENDANCE,
        as_of: who.now(),
        filters: filter,
        suppression: Suppression::new(published),
        totals: totals.into(),
        rows: rows.into_iter().map(AttendanceRow::from).collect(),
    };
    who.show_plain(Cache::Never, &report)
}

/// Whether the figures may leave the service: what an analyst gets may.
fn to_be_published(who: &Allowed<Reports>) -> Result<bool> {
    Ok(who.caller()?.role != Role::Admin)
}

fn shown<const N: usize>(published: bool, counted: Counted<N>, names: [&'static str; N]) -> Shown<N> {
    if published { rules::suppress(counted, names) } else { rules::exact(counted) }
}
