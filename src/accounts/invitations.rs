//! Invitations: an advisor gives a member an account, an admin makes one for somebody who works for the service.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use chrono::NaiveDate;

use super::asking::{SHOW_INSTEAD, link_to, needs_mail, open, shown, use_up};
use super::types::{Invitation, InvitationConfirmation, InvitationInput, LinkDelivery};
use crate::auth::caller::Role;
use crate::auth::links::store::{self as links, LinkRow};
use crate::auth::links::{Purpose, not_valid};
use crate::auth::password_rules;
use crate::auth::policy::AdvisorOnly;
use crate::auth::reach::Reach;
use crate::auth::store::{self as accounts, Account};
use crate::db::Timestamp;
use crate::http::prelude::*;
use crate::login::grant::{self, Wanted, active_partner, record};
use crate::login::types::LoggedIn;
use crate::members::handlers::{list_of_member, read_of_member};
use crate::members::store as members;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};
use crate::users::store::{self as users, UserRow};
use crate::users::types::UserInput;

/// How many wrong dates of birth a link takes.
const MOST_TRIES: i32 = 3;

/// Invite a member to an account
///
/// The link works for seven days, once. With `deliver: show` the answer holds it, to be given on paper.
#[utoipa::path(operation_id = "invite_member", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = InvitationInput,
    responses((status = 201, description = "Invited", body = Invitation), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/members/{id}/invitations")]
pub async fn invite_member(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, NoQuery, JsonBody<InvitationInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, wanted) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    if wanted.deliver == LinkDelivery::Email {
        needs_mail(&context, SHOW_INSTEAD)?;
    }
    let by = who.caller()?.id;
    who.write(&body.bytes, move |conn| {
        let member = members::lock(conn, reach, id)?;
        let email = wanted.email.clone().or_else(|| member.written().email);
        let required = || Error::rule("/email", "required", "The record has no e-mail address: give one here.");
        let email = email.ok_or_else(required)?;
        if accounts::account_of_member(conn, id)?.is_some() {
            return Err(Error::new(Kind::AlreadyExists, "The member has an account already."));
        }
        if accounts::account_by_email(conn, &email.to_lowercase())?.is_some() {
            let detail = "Another account has this address. Each account needs an address of its own.";
            return Err(Error::new(Kind::AlreadyExists, detail));
        }
        let link = link_to(&context, Purpose::Invitation, &email);
        let link = LinkRow { member_id: Some(id), created_by: Some(by), ..link };
        links::insert(conn, &link)?;
        let mut answer = Invitation::from(link.clone());
        let without = answer.clone();
        match wanted.deliver {
            LinkDelivery::Email => {
                let mail = NewMessage::with_link(MessageKind::Invitation, link.id, link.expires_at, context.now());
                messages::queue(conn, vec![mail.about(Some(id))], context.now())?;
            }
            LinkDelivery::Show => answer.link = Some(shown(&context, &link)),
        }
        let subject = Subject::of_member("invitation", link.id, id);
        let how = if answer.link.is_some() { "show" } else { "email" };
        context.record(conn, &[context.event("invite", subject, &[how])])?;
        let location = format!("/v1/members/{id}/invitations/{}", link.id);
        Reply::created(location, Tag::of(&without)?, &answer)?.shows(subject).replayed_as(&without)
    })
    .await
}

/// List a member's invitations
///
/// Newest first, those of the last two weeks.
#[utoipa::path(operation_id = "list_invitations", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of invitations", body = Page<Invitation>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/invitations")]
pub async fn list_invitations(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let read = move |conn: &mut Conn| links::of_member(conn, Purpose::Invitation, id, wanted.after, wanted.fetch());
    let rows = list_of_member(&who, id, "invitations", read).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |row| row.id, Invitation::from))
}

/// An invitation of this member.
///
/// # Errors
/// 404 if the member has no such invitation.
fn find(conn: &mut Conn, member_id: Id, id: Id) -> Result<LinkRow> {
    let link = links::find(conn, Purpose::Invitation, id)?.filter(|link| link.member_id == Some(member_id));
    link.ok_or_else(|| Error::not_found("invitation"))
}

/// Get an invitation
///
/// Without its link, which is shown only once.
#[utoipa::path(operation_id = "get_invitation", tag = "members",
    params(("id" = Id, Path, description = "The member"), ("invitation_id" = Id, Path, description = "The invitation")),
    responses((status = 200, description = "The invitation", body = Invitation), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/invitations/{invitation_id}")]
pub async fn get_invitation(request: Extract<(Allowed<AdvisorOnly>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let subject = Subject::of_member("invitation", id, member_id);
    let link = read_of_member(&who, member_id, (subject, &[]), move |conn| find(conn, member_id, id)).await?;
    who.show_plain(Cache::Never, &Invitation::from(link))
}

/// Take an invitation back
///
/// Its link no longer works. One that was used stays as it is.
#[utoipa::path(operation_id = "revoke_invitation", tag = "members",
    params(("id" = Id, Path, description = "The member"), ("invitation_id" = Id, Path, description = "The invitation")),
    responses((status = 204, description = "Taken back"), Missing, Conflict, Storage, Problems))]
#[delete("/v1/members/{id}/invitations/{invitation_id}")]
pub async fn revoke_invitation(
    request: Extract<(Allowed<AdvisorOnly>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        members::lock(conn, reach, member_id)?;
        // So that nobody uses it in between.
        links::lock(conn, id)?;
        let link = find(conn, member_id, id)?;
        if link.used_at.is_some() {
            return Err(Error::new(Kind::InvalidState, "The invitation was used, so it can't be taken back."));
        }
        if links::revoke(conn, id, context.now())? {
            context.record(conn, &[context.event("revoke", Subject::of_member("invitation", id, member_id), &[])])?;
        }
        Ok(Reply::empty())
    })
    .await
}

/// Take an invitation up
///
/// With the secret of the link and a password of one's own choice. The answer is that of a login. The link of a member
/// makes their account; anybody else's was made by an admin, and gets its password here.
#[utoipa::path(operation_id = "confirm_invitation", tag = "auth", request_body = InvitationConfirmation,
    responses((status = 201, description = "The tokens of the new account", body = LoggedIn), BadInput, Refused, Storage, Problems),
    security(()))]
#[post("/v1/auth/invitations/confirm")]
pub async fn confirm_invitation(
    request: Extract<(Open, NoQuery, JsonBody<InvitationConfirmation>)>,
) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    let InvitationConfirmation { token, password, date_of_birth } = body.value;
    let (link, invited) = open(&context, Purpose::Invitation, &token, invited).await?;
    password_rules::check(password.clone(), invited.role(), invited.known.clone(), "/password").await?;
    if let Some(born) = invited.born {
        let given = date_of_birth.ok_or_else(|| {
            Error::rule("/date_of_birth", "required", "Your record has your date of birth, so give it here too.")
        })?;
        knows_birthday(&context, link.id, given == born).await?;
    }
    let hash = context.state().hasher.hash(password).await?;
    let inside = context.clone();
    let account = context.write_anew(move |conn| {
        let account = match &invited.who {
            Who::Member(member_id) => {
                still_invites(conn, &link, *member_id, inside.now())?;
                create(conn, &inside, &link, (*member_id, hash.clone()))?
            }
            Who::Account(account) => first_password(conn, &inside, account.id, &hash)?,
        };
        use_up(conn, &inside, &link, &account)?;
        Ok(account)
    });
    begun(&context, &account.await?).await
}

/// Judges a date of birth. A wrong one counts in the transaction that judges it, so that of many guesses at the same time no
/// more than three are judged.
///
/// # Errors
/// 422 `does_not_match` if it is wrong, 422 `link-not-valid` if there were too many wrong ones.
async fn knows_birthday(context: &Context, link: Id, is_right: bool) -> Result<()> {
    let now = context.now();
    let judged = context.write_anew(move |conn| {
        links::lock(conn, link)?;
        links::usable(conn, Purpose::Invitation, link, now)?;
        if !is_right {
            links::miss(conn, link, MOST_TRIES, now)?;
        }
        Ok(())
    });
    judged.await?;
    if is_right {
        return Ok(());
    }
    let detail = "This is not the date of birth in your record. Ask your advisor if you are sure that it is right.";
    Err(Error::rule("/date_of_birth", "does_not_match", detail))
}

/// Who a link invites.
struct Invited {
    who: Who,
    /// The date of birth that they have to know.
    born: Option<NaiveDate>,
    /// What somebody who guesses their password would try.
    known: Vec<String>,
}

enum Who {
    /// A member without an account.
    Member(Id),
    /// An account without a password.
    Account(Account),
}

impl Invited {
    fn role(&self) -> Role {
        match &self.who {
            Who::Member(_) => Role::Member,
            Who::Account(account) => account.role,
        }
    }
}

/// Who a link invites; `None` if it leads nowhere any more.
fn invited(conn: &mut Conn, link: &LinkRow) -> Result<Option<Invited>> {
    let email = link.email.clone().unwrap_or_default();
    let account = accounts::account_by_email(conn, &email)?;
    if let Some(id) = link.user_id {
        let account = account.filter(|account| account.id == id && waits(account));
        return Ok(account.map(|account| Invited { who: Who::Account(account), born: None, known: vec![email] }));
    }
    let Some(member_id) = link.member_id else { return Ok(None) };
    if account.is_some() || accounts::account_of_member(conn, member_id)?.is_some() {
        return Ok(None);
    }
    // The link of a record that was merged or erased in between leads nowhere.
    let record = match members::get(conn, Reach::Everyone, member_id) {
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Merged | Kind::Erased) => return Ok(None),
        outcome => outcome?,
    };
    let born = record.written().date_of_birth;
    let known = accounts::known_of(conn, email, Some(member_id))?;
    Ok(Some(Invited { who: Who::Member(member_id), born, known }))
}

/// Holds the member, so that the record is neither merged nor erased until the account is made, and checks that the link
/// still invites them. Hashing takes a while, in which an advisor may have merged the record into another.
///
/// # Errors
/// 422 `link-not-valid` if it doesn't.
fn still_invites(conn: &mut Conn, link: &LinkRow, member_id: Id, now: Timestamp) -> Result<()> {
    let is_live = match members::hold(conn, Reach::Everyone, member_id) {
        Err(error) if error.kind() == Kind::Merged => false,
        outcome => outcome?,
    };
    let invites = links::usable(conn, Purpose::Invitation, link.id, now)?.member_id == Some(member_id);
    if is_live && invites { Ok(()) } else { Err(not_valid()) }
}

/// Whether an account waits for its first password.
fn waits(account: &Account) -> bool {
    account.password_hash.is_none() && !account.disabled
}

/// Gives an account that an admin made its first password.
///
/// # Errors
/// 422 `link-not-valid` if it got one meanwhile, or was disabled.
fn first_password(conn: &mut Conn, context: &Context, id: Id, hash: &str) -> Result<Account> {
    let account = accounts::locked_account(conn, id)?.filter(waits).ok_or_else(not_valid)?;
    accounts::set_password(conn, Some(&context.state().throttle), &account, hash, context.now())?;
    record(conn, context, &account, "change", &["password"])?;
    accounts::account(conn, id)?.ok_or_else(not_valid)
}

/// Makes the account of a member who has chosen a password.
///
/// # Errors
/// 422 `link-not-valid` if the member or the address got an account meanwhile.
pub(super) fn create(
    conn: &mut Conn,
    context: &Context,
    link: &LinkRow,
    (member_id, hash): (Id, String),
) -> Result<Account> {
    let written = UserInput {
        email: link.email.clone().unwrap_or_default(),
        role: Role::Member,
        partner_id: None,
        disabled: false,
        permissions: Vec::new(),
        display_name: None,
    };
    let row = UserRow::new(context.new_id(), written, Some(member_id), Some(hash), context.now());
    users::insert(conn, Some(&context.state().throttle), &row).map_err(|error| match error.kind() {
        Kind::AlreadyExists => not_valid(),
        _ => error,
    })?;
    let account = accounts::account(conn, row.id)?.ok_or_else(not_valid)?;
    record(conn, context, &account, "create", &[])?;
    Ok(account)
}

/// Logs a new account in: the answer is 201 with its tokens.
pub(super) async fn begun(context: &Context, account: &Account) -> Result<HttpResponse> {
    active_partner(context, account).await?;
    let wanted = Wanted { client_name: None, by_cookie: false, network: Some(context.network().to_string()) };
    let mut response = grant::begin(context, account, wanted).await?;
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/v1/me"));
    Ok(response)
}
