//! Registers over HTTP.

use super::rules::Plan;
use super::store::{self, Access};
use super::types::{Register, RegisterChange, RegisterInput, RegisterPatch};
use crate::auth::policy::{RegisterReader, RegisterWriter};
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::error::Fault;
use crate::http::patch::MergePatch;
use crate::http::prelude::*;
use crate::members::registration::{born_before, possible_duplicate, register, with_candidates};
use crate::members::sharing::read_shared;
use crate::members::types::{MemberInput, RegistrationQuery, Similar};

/// Get a session's register
///
/// A partner sees the registers of its own sessions. Members who don't consent to be shared with it are null there, and
/// their bookings are told apart by their references.
#[utoipa::path(operation_id = "get_register", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The register", body = Register), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["registers:read"])))]
#[get("/v1/sessions/{id}/register")]
pub async fn get_register(request: Extract<(Allowed<RegisterReader>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _)) = request;
    let (context, access) = (who.context(), Access::of(who.caller()?)?);
    let register = read_shared(&who.state().db, access.reach, move |conn| {
        let shown = store::read(conn, session_id, access, london_day(context.now()))?;
        let events = reads(&context, session_id, &shown.people);
        Ok((shown.register, events))
    });
    let register = register.await?;
    who.show_live(Cache::Never, register.version, &register)
}

/// Take a session's register
///
/// Allowed once the session has started, and again to correct the register. Bookings that aren't named stay as they
/// are. The walk-ins that the caller can see are replaced. People who aren't members are counted. An advisor can
/// register a walk-in on the spot; if the person may be registered already, the answer is the same as when registering
/// a member. A client without `registers:read` sees nobody: `member` is null, and no walk-in is removed.
///
/// A request that would change nothing is answered with 200, whatever ETag it has: it can be repeated if its answer was
/// lost.
#[utoipa::path(operation_id = "take_register", tag = "sessions", params(("id" = Id, Path, description = "The session"), RegistrationQuery),
    request_body = RegisterInput,
    responses((status = 200, description = "Taken", body = Register), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["registers:write"])))]
#[put("/v1/sessions/{id}/register")]
pub async fn take_register(
    request: Extract<(Allowed<RegisterWriter>, Path<Id>, Query<RegistrationQuery>, JsonBody<RegisterInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), Query(query), body)) = request;
    let (context, input) = (who.context(), body.value);
    let (access, account) = (Access::of(who.caller()?)?, who.caller()?.id);
    let new: Vec<MemberInput> = input.walk_ins.iter().filter_map(|walk_in| walk_in.member.clone()).collect();
    let outcome = who.write(&body.bytes, move |conn| {
        let (session, version) = store::hold(conn, session_id, access.reach)?;
        context.require_if_match()?;
        // The same again is no change: a client that got no answer may repeat it with the ETag that it had.
        if !store::stands(conn, session_id, &input, access)? {
            check_match(conn, &context, (session_id, version), access)?;
        }
        store::check_started(&session, context.now())?;
        let input = registered(conn, &context, access.reach, &input, query.similar())?;
        let (plan, shown) = store::take(conn, (&session, version), &input, (access, account), context.now())?;
        if let Some(plan) = &plan {
            context.record(conn, &changes(&context, session_id, plan))?;
        }
        context.record(conn, &reads(&context, session_id, &shown.people))?;
        Reply::ok(Tag::live(shown.register.version, &shown.register)?, &shown.register)
    });
    match outcome.await {
        Err(error) if error.kind() == Kind::PossibleDuplicate => Err(with_candidates(error, &who, new).await?),
        outcome => outcome,
    }
}

/// Checks that the register is as the client read it.
fn check_match(conn: &mut Conn, context: &Context, (session, version): (Id, i32), access: Access) -> Result<()> {
    context.check_live_match(version, || {
        let register = store::read(conn, session, access, london_day(context.now()))?.register;
        Tag::live(version, &register)
    })
}

/// Change the headcount of a session's register
///
/// A JSON merge patch of the headcount alone: bookings and walk-ins stay as they are. Allowed once the session has started.
/// A register that hasn't been taken is taken by it. For a drop-in session this is all there is to take.
#[utoipa::path(operation_id = "change_register", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body(content = RegisterPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Taken", body = Register), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["registers:write"])))]
#[patch("/v1/sessions/{id}/register")]
pub async fn change_register(
    request: Extract<(Allowed<RegisterWriter>, Path<Id>, NoQuery, MergePatch<RegisterChange>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _, patch)) = request;
    let context = who.context();
    let (access, account) = (Access::of(who.caller()?)?, who.caller()?.id);
    who.write(&Bytes::new(), move |conn| {
        let (session, version) = store::hold(conn, session_id, access.reach)?;
        context.require_if_match()?;
        check_match(conn, &context, (session_id, version), access)?;
        store::check_started(&session, context.now())?;
        let change = |headcount| Ok(patch.apply(&RegisterChange { headcount })?.headcount);
        // A patch that names nothing says nothing, not even that nobody came.
        if patch.names_one("headcount") && store::count(conn, (session_id, version), account, context.now(), change)? {
            context.record(conn, &[context.event("change", Subject::other("register", session_id), &["headcount"])])?;
        }
        let shown = store::read(conn, session_id, access, london_day(context.now()))?;
        context.record(conn, &reads(&context, session_id, &shown.people))?;
        Reply::ok(Tag::live(shown.register.version, &shown.register)?, &shown.register)
    })
    .await
}

/// The register after everybody in it who is to be registered on the spot has been registered.
///
/// # Errors
/// 422 if the caller is no advisor, or somebody is born in the future. 409 `possible-duplicate` if somebody may be
/// registered already, or may be the same person as another walk-in. The errors of registering, at their place in the
/// body.
fn registered(
    conn: &mut Conn,
    context: &Context,
    reach: Reach,
    input: &RegisterInput,
    similar: Similar,
) -> Result<RegisterInput> {
    let mut input = input.clone();
    let mut new: Vec<(Id, usize)> = Vec::new();
    for (index, walk_in) in input.walk_ins.iter_mut().enumerate() {
        let Some(written) = walk_in.member.take() else { continue };
        let at = format!("/walk_ins/{index}/member");
        if reach != Reach::Everyone {
            return Err(Error::rule(at, "not_yours", "Only an advisor registers members. Count them in headcount."));
        }
        let registered = born_before(context, written.date_of_birth)
            .and_then(|()| register(conn, context, &written, similar))
            .map_err(|error| error.below(&at))?;
        let row = registered.map_err(|alike| duplicate(at, &alike, &new))?;
        new.push((row.id, index));
        walk_in.member_id = Some(row.id);
    }
    Ok(input)
}

/// The problem with a walk-in who may be one of the members in `alike`. Those in `new` are walk-ins of the same request.
fn duplicate(at: String, alike: &[Id], new: &[(Id, usize)]) -> Error {
    let Some((_, first)) = new.iter().find(|(id, _)| alike.contains(id)) else {
        let detail = "May be registered already; see candidates.";
        return possible_duplicate().with(Fault::at(at, "possible_duplicate", detail));
    };
    let problem = "Two of the walk-ins may be the same person; see errors. Repeat with confirm_not_duplicate=true if they \
                   are two.";
    let detail = format!("May be the same person as /walk_ins/{first}/member.");
    Error::new(Kind::PossibleDuplicate, problem).with(Fault::at(at, "possible_duplicate", detail))
}

/// One audit event for each person whose data an answer holds.
pub(super) fn reads(context: &Context, session_id: Id, people: &[Id]) -> Vec<Event> {
    let read = |member: &Id| context.event("read", Subject::of_member("register", session_id, *member), &[]);
    people.iter().map(read).collect()
}

/// The audit events: what changed for each person, and that the register was taken.
fn changes(context: &Context, session_id: Id, plan: &Plan) -> Vec<Event> {
    let of = |action, member: Id| context.event(action, Subject::of_member("walk_in", session_id, member), &[]);
    let mark = |(booking, member, _): &(Id, Id, _)| {
        context.event("change", Subject::of_member("booking", *booking, *member), &["status"])
    };
    let mut events = vec![context.event("change", Subject::other("register", session_id), &["headcount"])];
    events.extend(plan.marks.iter().map(mark));
    events.extend(plan.came.iter().map(|member| of("create", *member)));
    events.extend(plan.gone.iter().map(|member| of("delete", *member)));
    events
}
