//! Answers for equality monitoring over HTTP.

use super::rules::{self, Reader};
use super::store::{self, AnswersRow};
use super::types::{EqualityAnswers, EqualityAnswersPatch};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::handlers::read_of_member;
use crate::members::store as members;

fn subject(member_id: Id) -> Subject {
    Subject::of_member("equality_answers", member_id, member_id)
}

fn reader(reach: Reach) -> Reader {
    if reach.is_member() { Reader::Member } else { Reader::Advisor }
}

/// Get a member's answers for equality monitoring
///
/// The member reads the answers. An advisor reads only which questions are `answered`. If nobody has asked yet, the
/// version is 0.
#[utoipa::path(operation_id = "get_equality_answers", tag = "members", params(("id" = Id, Path, description = "The member")),
    responses((status = 200, description = "The answers", body = EqualityAnswers), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/equality-monitoring")]
pub async fn get_equality_answers(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let reader = reader(Reach::to_people(who.caller()?)?);
    let row = read_of_member(&who, id, (subject(id), &["answered"]), move |conn| store::find(conn, id)).await?;
    let answers = EqualityAnswers::of(id, row.as_ref(), reader)?;
    who.show_live(Cache::Never, answers.version, &answers)
}

/// Change a member's answers for equality monitoring
///
/// A JSON merge patch: null takes an answer back. An advisor writes down what the member tells them, and sees only which
/// questions are answered. So that nobody can find out an answer by sending guesses, every answer that an advisor sends
/// counts as a change.
#[utoipa::path(operation_id = "change_equality_answers", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body(content = EqualityAnswersPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = EqualityAnswers), BadInput, Missing, Stale, Storage, Problems))]
#[patch("/v1/members/{id}/equality-monitoring")]
pub async fn change_equality_answers(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, EqualityAnswersPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let reader = reader(reach);
    who.write(&Bytes::new(), move |conn| {
        members::lock(conn, reach, id)?;
        let old = store::find(conn, id)?;
        let shown = EqualityAnswers::of(id, old.as_ref(), reader)?;
        context.require_if_match()?;
        context.check_live_match(shown.version, || Tag::live(shown.version, &shown))?;
        let before = old.as_ref().map(AnswersRow::answers).unwrap_or_default();
        let after = rules::patched(&before, &patch)?;
        let guess = reader == Reader::Advisor && !patch.names().is_empty();
        if after == before && !guess {
            return context.unchanged(conn, subject(id), Tag::live(shown.version, &shown)?, &shown);
        }
        let row = AnswersRow::next(id, old.as_ref(), after, london_day(context.now()), context.now());
        store::write(conn, &row)?;
        let names: Vec<&str> = rules::recorded(patch.names()).into_iter().collect();
        context.record(conn, &[context.event("change", subject(id), &names)])?;
        let shown = EqualityAnswers::of(id, Some(&row), reader)?;
        Reply::ok(Tag::live(shown.version, &shown)?, &shown)
    })
    .await
}
