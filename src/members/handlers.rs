//! Members over HTTP.

use super::registration::{self, born_before};
use super::store::{self, MemberRow};
use super::types::{ADVISORS_WRITE, Member, MemberInput, MemberPatch, RegistrationQuery};
use super::{contact, preferences, residence, view};
use crate::auth::policy::{AdvisorOnly, MemberOrAdvisor};
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::db::Timestamp;
use crate::http::patch::unless_same;
use crate::http::prelude::*;

/// Reads something of a member within the caller's reach, and records it.
///
/// # Errors
/// 404 if the caller may not see the member. The errors of `read`.
pub(crate) async fn read_of_member<T: Send + 'static>(
    who: &Context,
    member_id: Id,
    (subject, fields): (Subject, &'static [&'static str]),
    read: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (context, reach) = (who.clone(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        store::get(conn, reach, member_id)?;
        Ok((read(conn)?, context.reads(subject, fields)))
    };
    who.state().db.read_audited(work).await
}

/// Reads a list of a member within the caller's reach, and records it unless the list is empty. `name` is the list's.
///
/// # Errors
/// 404 if the caller may not see the member. The errors of `read`.
pub(crate) async fn list_of_member<R: Send + 'static>(
    who: &Context,
    member_id: Id,
    name: &'static str,
    read: impl Fn(&mut Conn) -> Result<Vec<R>> + Send + 'static,
) -> Result<Vec<R>> {
    let (context, reach) = (who.clone(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        store::get(conn, reach, member_id)?;
        let rows = read(conn)?;
        let events = context.reads_list(Subject::of_member("member", member_id, member_id), &[name], &rows);
        Ok((rows, events))
    };
    who.state().db.read_audited(work).await
}

/// Register a member
///
/// If the person may be registered already, the answer is a 409 `possible-duplicate` with `candidates`. If none of the
/// candidates is this person, repeat the request with `confirm_not_duplicate=true`. An NHS number that another member
/// has is refused in any case.
#[utoipa::path(operation_id = "register_member", tag = "members", params(RegistrationQuery), request_body = MemberInput,
    responses((status = 201, description = "Registered", body = Member), BadInput, Conflict, Storage, Problems))]
#[post("/v1/members")]
pub async fn register_member(
    request: Extract<(Allowed<AdvisorOnly>, Query<RegistrationQuery>, JsonBody<MemberInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(query), body)) = request;
    let (context, written) = (who.context(), body.value);
    born_before(&context, written.date_of_birth)?;
    let wanted = written.clone();
    let outcome = who.write(&body.bytes, move |conn| {
        let registered = registration::register(conn, &context, &written, query.similar())?;
        let row = registered.map_err(|_| registration::possible_duplicate())?;
        let member = view::show(conn, row, london_day(context.now()))?;
        let location = format!("/v1/members/{}", member.id);
        Ok(Reply::created(location, view::tag(&member)?, &member)?.about(member.id))
    });
    match outcome.await {
        Err(error) if error.kind() == Kind::PossibleDuplicate => {
            Err(registration::with_candidates(error, &who, vec![wanted]).await?)
        }
        outcome => outcome,
    }
}

/// Get a member
///
/// An advisor reads any member, a member only themselves.
#[utoipa::path(operation_id = "get_member", tag = "members", params(("id" = Id, Path, description = "The member")),
    responses((status = 200, description = "The member", body = Member), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}")]
pub async fn get_member(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        let row = store::get(conn, reach, id)?;
        let member = view::show(conn, row, london_day(context.now()))?;
        Ok((member, context.reads(Subject::of_member("member", id, id), &[])))
    };
    let member = who.state().db.read_audited(work).await?;
    who.show_live(Cache::Never, member.version, &member)
}

/// Change a member
///
/// A JSON merge patch. Objects are merged, lists are replaced. A member can't change `roles`,
/// `nhs_number`, `gp_practice_code` and `former_names` of their own record, and can set `email` only to the address of their
/// account, which they have confirmed.
///
/// Whoever takes a way of contact out of `contact_preferences` takes the consent for it back too. A member who puts it in
/// again gives that consent again; an advisor records the consent instead, with its evidence.
#[utoipa::path(operation_id = "change_member", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body(content = MemberPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Member), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/members/{id}")]
pub async fn change_member(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, MemberPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        // Locked first: consents are recorded one after another.
        let (stored, today) = (store::lock(conn, reach, id)?, london_day(context.now()));
        let shown = view::show(conn, stored.clone(), today)?;
        let old = stored.preferring(shown.written.contact_preferences);
        context.require_if_match()?;
        context.check_live_match(old.version, || view::tag(&shown))?;
        if reach.is_member() {
            patch.refuse(&ADVISORS_WRITE, "Only an advisor may change this. Ask yours.")?;
        }
        let subject = Subject::of_member("member", id, id);
        let Some(row) = changed(conn, &old, &patch, context.now())? else {
            return context.unchanged(conn, subject, view::tag(&shown)?, &shown);
        };
        born_before(&context, row.written().date_of_birth)?;
        if reach.is_member() && row.written().email != old.written().email {
            contact::check_own_address(conn, context.caller()?.id, row.written().email.as_deref())?;
        }
        let [stored, wanted] = [&stored, &row].map(|row| row.written().contact_preferences);
        let change = preferences::Change { stored, shown: shown.written.contact_preferences, wanted };
        let row = row.preferring(preferences::follow(conn, &context, id, reach, change)?);
        store::update(conn, &row)?;
        let mut names = patch.names();
        if row.local_authority_code != old.local_authority_code && !patch.names_one(residence::FIELD) {
            names.push(residence::FIELD);
        }
        context.record(conn, &[context.event("change", subject, &names)])?;
        let member = view::show(conn, row, today)?;
        Reply::ok(view::tag(&member)?, &member)
    })
    .await
}

/// A member after a patch; `None` if the patch changes nothing. Only what changes anything else has the local authority
/// follow the postcode: an empty patch leaves a record as it is, also if postcodes were imported since.
fn changed(conn: &mut Conn, old: &MemberRow, patch: &MemberPatch, now: Timestamp) -> Result<Option<MemberRow>> {
    let Some(patched) = patch.change(old, MemberRow::written, |written| old.changed(written, now))? else {
        return Ok(None);
    };
    let mut written = patched.written();
    residence::follow(conn, old, patch, &mut written)?;
    unless_same(old, old.changed(written, now), MemberRow::written)
}
