//! Checks of a prescription that need the database. Every fault of a body is reported at once.

use chrono::NaiveDate;

use super::items::rules as item_rules;
use super::items::store as items;
use super::items::types::PrescriptionItemInput;
use super::rules;
use super::store::{self, Whole};
use super::types::{NeedDomain, PrescriptionChange, PrescriptionInput, PrescriptionOrigin, PrescriptionStatus};
use crate::auth::reach::Reach;
use crate::db::{Conn, Id};
use crate::error::{Error, Fault, Result};
use crate::members::store as members;

/// How many items a prescription has at most.
pub const MOST_ITEMS: usize = 50;

fn only_advisors(pointer: &str) -> Fault {
    Fault::at(pointer, "not_yours", "Only an advisor may give this. Leave it out.")
}

fn in_the_future(day: Option<NaiveDate>, today: NaiveDate) -> Option<Fault> {
    let late = day.is_some_and(|day| day > today);
    late.then(|| Fault::at("/developed_on", "in_the_future", "Must not be in the future."))
}

fn unknown_site(conn: &mut Conn, site_id: Option<Id>) -> Result<Option<Fault>> {
    let Some(site_id) = site_id else { return Ok(None) };
    let known = store::site_exists(conn, site_id)?;
    Ok((!known).then(|| Fault::at("/site_id", "unknown_site", "There is no such site.")))
}

fn outcome(faults: Vec<Fault>) -> Result<()> {
    Error::unless_none(faults)
}

/// Checks a new prescription written by a caller with this reach.
///
/// # Errors
/// 422 with every fault.
pub fn new(conn: &mut Conn, reach: Reach, today: NaiveDate, written: &PrescriptionInput) -> Result<()> {
    let mut faults = rules::need_faults(&written.needs);
    if !members::hold(conn, reach, written.member_id)? {
        faults.push(Fault::at("/member_id", "unknown_member", "There is no such member."));
    }
    if reach.is_member() && written.origin != PrescriptionOrigin::Own {
        faults.push(Fault::at("/origin", "not_yours", "A member must give the origin self."));
    }
    if reach.is_member() && written.developed_on.is_some() {
        faults.push(only_advisors("/developed_on"));
    }
    faults.extend(in_the_future(written.developed_on, today));
    faults.extend(unknown_site(conn, written.site_id)?);
    let domains: Vec<NeedDomain> = written.needs.iter().map(|need| need.domain).collect();
    for (index, item) in written.items.iter().enumerate() {
        faults.extend(item_faults(conn, reach, &format!("/items/{index}"), item, &domains)?);
    }
    outcome(faults)
}

/// Checks a change against the prescription as it is now. `reach` is that of the caller.
///
/// # Errors
/// 422 with every fault.
pub fn change(
    conn: &mut Conn,
    reach: Reach,
    whole: &Whole,
    today: NaiveDate,
    written: &PrescriptionChange,
) -> Result<()> {
    let mut faults = rules::need_faults(&written.needs);
    let moves = written.site_id != whole.row.site_id;
    if moves && reach.is_member() && !rules::members_site(whole.row.status, whole.row.advisor_id.is_some()) {
        let detail = "Only an advisor may change the site of a prescription that is active or that an advisor wrote.";
        faults.push(Fault::at("/site_id", "not_yours", detail));
    }
    let tied = whole.items.iter().filter_map(|item| item.need);
    if tied.into_iter().any(|domain| !written.needs.iter().any(|need| need.domain == domain)) {
        faults.push(Fault::at("/needs", "in_use", "A need that an item refers to can't be removed."));
    }
    if whole.row.status == PrescriptionStatus::Active && written.developed_on.is_none() {
        faults.push(Fault::at(
            "/developed_on",
            "required",
            "An active prescription must have the day it was developed on.",
        ));
    }
    if whole.row.status != PrescriptionStatus::Draft && written.developed_on > whole.row.developed_on {
        faults.push(Fault::at(
            "/developed_on",
            "too_late",
            "Once the prescription is active, only an earlier day can be given.",
        ));
    } else if written.developed_on != whole.row.developed_on {
        faults.extend(in_the_future(written.developed_on, today));
    }
    faults.extend(unknown_site(conn, written.site_id)?);
    outcome(faults)
}

/// Checks a new item of a prescription.
///
/// # Errors
/// 422 with every fault.
pub fn item(conn: &mut Conn, reach: Reach, whole: &Whole, written: &PrescriptionItemInput) -> Result<()> {
    let domains: Vec<NeedDomain> = whole.needs.iter().map(|need| need.domain).collect();
    let mut faults = item_faults(conn, reach, "", written, &domains)?;
    if whole.items.len() >= MOST_ITEMS {
        faults.push(Fault::at("", "too_many", format!("A prescription has at most {MOST_ITEMS} items.")));
    }
    outcome(faults)
}

/// The faults of an item. A member can't refer to a session or series that isn't published to everybody: referring to
/// it would let them see it.
fn item_faults(
    conn: &mut Conn,
    reach: Reach,
    at: &str,
    item: &PrescriptionItemInput,
    domains: &[NeedDomain],
) -> Result<Vec<Fault>> {
    let mut faults = item_rules::faults(at, item, domains);
    if let Some(target) = item.target_id
        && faults.iter().all(|fault| fault.code != "not_allowed")
        && !items::target_exists(conn, item.kind, target, reach)?
    {
        let kind = item.kind;
        let code = format!("unknown_{kind}");
        faults.push(Fault::at(format!("{at}/target_id"), code, format!("There is no such {kind}.")));
    }
    Ok(faults)
}
