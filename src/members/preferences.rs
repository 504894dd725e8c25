//! The ways in which a member wants to be contacted, and the consents about the same ways. What the member said last in a
//! consent counts, so a record is shown as the consents decide, and a change of the record changes them.

use diesel::prelude::*;

use super::consents::store as consents;
use super::consents::types::{ConsentDecision, ConsentPurpose};
use super::quotas::{self, Written};
use super::types::ContactPreferences;
use crate::auth::reach::Reach;
use crate::db::schema::consent_states;
use crate::db::{Conn, Id};
use crate::error::{Error, Fault, Result};
use crate::http::context::Context;
use crate::http::prelude::Subject;

/// A way of contact that a consent decides about, once there is one.
struct Way {
    purpose: ConsentPurpose,
    /// Where it stands in a member.
    pointer: &'static str,
    of: fn(&mut ContactPreferences) -> &mut bool,
}

static WAYS: [Way; 3] = [
    Way { purpose: ConsentPurpose::ContactEmail, pointer: "/contact_preferences/email", of: |all| &mut all.email },
    Way { purpose: ConsentPurpose::ContactSms, pointer: "/contact_preferences/sms", of: |all| &mut all.sms },
    Way { purpose: ConsentPurpose::ContactPost, pointer: "/contact_preferences/post", of: |all| &mut all.post },
];

/// What a member said last about each way; nothing about a way that they never spoke of.
fn said(conn: &mut Conn, member_id: Id) -> Result<Vec<(&'static Way, ConsentDecision)>> {
    let asked = consent_states::purpose.eq_any(WAYS.iter().map(|way| way.purpose));
    let theirs = consent_states::table.filter(consent_states::member_id.eq(member_id)).filter(asked);
    let rows: Vec<(ConsentPurpose, ConsentDecision)> =
        theirs.select((consent_states::purpose, consent_states::decision)).load(conn)?;
    let way = |purpose| WAYS.iter().find(|way| way.purpose == purpose);
    Ok(rows.into_iter().filter_map(|(purpose, decision)| Some((way(purpose)?, decision))).collect())
}

/// The preferences of a record, as the member's consents decide.
pub fn decided(conn: &mut Conn, member_id: Id, mut stored: ContactPreferences) -> Result<ContactPreferences> {
    for (way, decision) in said(conn, member_id)? {
        *(way.of)(&mut stored) = decision == ConsentDecision::Given;
    }
    Ok(stored)
}

/// A change of the preferences of a record.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// What the record says without the consents.
    pub stored: ContactPreferences,
    /// What is shown of it.
    pub shown: ContactPreferences,
    /// What it is to be.
    pub wanted: ContactPreferences,
}

/// Records the consents that a change of a record changes. Returns what the record says then without the consents: what
/// isn't changed stays, so that it counts again if records that were merged are taken apart.
///
/// What was never agreed to isn't taken back: that would forbid what the record may allow again.
///
/// # Errors
/// 422 if somebody else than the member wants a way that the member has forbidden: that needs evidence.
pub fn follow(conn: &mut Conn, context: &Context, id: Id, reach: Reach, change: Change) -> Result<ContactPreferences> {
    let Change { stored, mut shown, mut wanted } = change;
    let (mut next, mut faults) = (ContactPreferences { phone: wanted.phone, ..stored }, Vec::new());
    let said = said(conn, id)?;
    for way in &WAYS {
        let (before, after) = (*(way.of)(&mut shown), *(way.of)(&mut wanted));
        if before == after {
            continue;
        }
        *(way.of)(&mut next) = after;
        if said.iter().all(|(spoken, _)| spoken.purpose != way.purpose) {
            continue;
        }
        if after && !reach.is_member() {
            let detail =
                format!("They took this back. Record their consent {} first, and how it is known.", way.purpose);
            faults.push(Fault::at(way.pointer, "withdrawn", detail));
            continue;
        }
        let decision = if after { ConsentDecision::Given } else { ConsentDecision::Withdrawn };
        let evidence = (!reach.is_member()).then(|| "The record says that they don't want this.".to_owned());
        let by = (context.caller()?.id, evidence);
        let row = consents::record(conn, context.new_id(), id, (way.purpose, decision), by, context.now())?;
        if after {
            quotas::check(conn, context, id, Written::Consent)?;
        }
        let subject = Subject::of_member("consent", row.id, id);
        context.record(conn, &[context.event("create", subject, &["purpose", "decision"])])?;
    }
    Error::unless_none(faults)?;
    Ok(next)
}
