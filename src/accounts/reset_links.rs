//! Links with which an admin lets somebody choose another password. No admin ever knows the password.

use super::asking::{SHOW_INSTEAD, link_to, needs_mail, shown};
use super::types::{LinkDelivery, ResetLink, ResetLinkInput};
use crate::auth::caller::Role;
use crate::auth::links::Purpose;
use crate::auth::links::store::{self as links, LinkRow};
use crate::auth::policy::AdminOnly;
use crate::http::prelude::*;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::Notice;
use crate::messages::{self, NewMessage};
use crate::users::store as users;

/// Make a link to choose a password
///
/// The link works for one hour, once. Using it ends every login of the account. The owner is also sent a notice, so that
/// nobody makes a link behind their back. With `deliver: show` the answer holds the link, for a service that sends no
/// e-mail; not for an advisor who has a password, whose account opens people's records in their name. A member's own account
/// is a 404.
#[utoipa::path(operation_id = "make_reset_link", tag = "users", params(("id" = Id, Path, description = "The account")),
    request_body = ResetLinkInput,
    responses((status = 201, description = "Made", body = ResetLink), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/users/{id}/reset-link")]
pub async fn make_reset_link(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<ResetLinkInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, by, deliver) = (who.context(), who.caller()?.id, body.value.deliver);
    if deliver == LinkDelivery::Email {
        needs_mail(&context, SHOW_INSTEAD)?;
    }
    who.write(&body.bytes, move |conn| {
        let account = users::get(conn, id)?;
        // In the name of an account without a password nobody has done anything yet.
        if deliver == LinkDelivery::Show && account.role == Role::Advisor && account.has_password() {
            let detail =
                "A link for an advisor with a password is always mailed, so that nobody else opens people's records in \
                 their name. Without e-mail, the operator sets a password: life-rooms user set-password.";
            return Err(Error::rule("/deliver", "not_allowed", detail));
        }
        if account.disabled {
            return Err(Error::new(Kind::InvalidState, "The account is disabled. Enable it first."));
        }
        let link = link_to(&context, Purpose::PasswordReset, &account.email);
        let link = LinkRow { user_id: Some(id), created_by: Some(by), ..link };
        links::insert(conn, &link)?;
        let without = ResetLink { id: link.id, expires_at: link.expires_at, link: None };
        let mut answer = without.clone();
        let mut told = vec![NewMessage::notice(Notice::ResetLink, id, None, context.now())];
        let how = match deliver {
            LinkDelivery::Email => {
                told.push(NewMessage::with_link(MessageKind::PasswordReset, link.id, link.expires_at, context.now()));
                "email"
            }
            LinkDelivery::Show => {
                answer.link = Some(shown(&context, &link));
                "show"
            }
        };
        messages::queue(conn, told, context.now())?;
        context.record(conn, &[context.event("reset_link", Subject::other("user", id), &[how])])?;
        Reply::created(format!("/v1/users/{id}"), Tag::of(&without)?, &answer)?.replayed_as(&without)
    })
    .await
}
