//! People who register by themselves.

use chrono::{Months, NaiveDate};

use super::asking::{ask, link_to, open, use_up};
use super::invitations::{begun, create};
use super::types::{Accepted, LinkConfirmation, SelfRegistration};
use crate::auth::caller::Role;
use crate::auth::links::store::LinkRow;
use crate::auth::links::{Purpose, not_valid};
use crate::auth::password_rules;
use crate::auth::store as accounts;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::login::types::LoggedIn;
use crate::members::consents::store::{self as consents, ConsentRow};
use crate::members::consents::types::ConsentInput;
use crate::members::registration::{born_before, register};
use crate::members::types::{ContactPreferences, MemberInput, MemberRole, MessageDetails, SafeContact, Similar};
use crate::messages::kinds::MessageKind;

const SENT: &str = "We send a link to this address. It works for one day. Look into your mailbox.";
/// The age in years from which people can register by themselves.
const LEAST_AGE: u32 = 13;

/// Register yourself
///
/// The address is sent a link, and nothing is kept beyond a day unless the link is used. The answer is the same whether or
/// not the address has an account; if it has one, it is told so.
#[utoipa::path(operation_id = "register_myself", tag = "members", request_body = SelfRegistration,
    responses((status = 202, description = "Taken", body = Accepted), BadInput, Storage, Problems), security(()))]
#[post("/v1/members/self-registration")]
pub async fn register_myself(request: Extract<(Open, NoQuery, JsonBody<SelfRegistration>)>) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    let form = body.value;
    born_before(&context, form.date_of_birth)?;
    if is_too_young(form.date_of_birth, london_day(context.now())) {
        let detail = "You need to be 13 or older to join by yourself. Ask somebody who cares for you to come with you.";
        return Err(Error::rule("/date_of_birth", "too_young", detail));
    }
    let link = link_to(&context, Purpose::Registration, &form.email).with_form(&form)?;
    ask(&context, link, MessageKind::Registration, SENT).await
}

fn is_too_young(born: Option<NaiveDate>, today: NaiveDate) -> bool {
    let birthday = born.and_then(|born| born.checked_add_months(Months::new(12 * LEAST_AGE)));
    birthday.is_some_and(|birthday| birthday > today)
}

/// Finish your registration
///
/// With the secret of the link and a password of one's own choice. The answer is that of a login.
#[utoipa::path(operation_id = "confirm_registration", tag = "auth", request_body = LinkConfirmation,
    responses((status = 201, description = "The tokens of the new account", body = LoggedIn), BadInput, Storage, Problems),
    security(()))]
#[post("/v1/auth/registrations/confirm")]
pub async fn confirm_registration(
    request: Extract<(Open, NoQuery, JsonBody<LinkConfirmation>)>,
) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    let LinkConfirmation { token, password } = body.value;
    let look = |conn: &mut Conn, link: &LinkRow| {
        let email = link.email.as_deref().unwrap_or_default();
        if accounts::account_by_email(conn, email)?.is_some() {
            return Ok(None);
        }
        let form = link.form.clone().and_then(|form| serde_json::from_value::<SelfRegistration>(form.0).ok());
        Ok(form)
    };
    let (link, form) = open(&context, Purpose::Registration, &token, look).await?;
    let known = [Some(form.email.clone()), Some(form.given_name.clone()), form.family_name.clone()];
    let known = known.into_iter().chain([form.preferred_name.clone()]).flatten().collect();
    password_rules::check(password.clone(), Role::Member, known, "/password").await?;
    let hash = context.state().hasher.hash(password).await?;
    let inside = context.clone();
    let account = context.write_anew(move |conn| {
        // Never joined to a record that exists: somebody else's details are easily known. An advisor looks at it later.
        let member = register(conn, &inside, &record_of(&form), Similar::Review)?;
        let member_id = member.map_err(|_| not_valid())?.id;
        let account = create(conn, &inside, &link, (member_id, hash.clone()))?;
        let rows = form.consents.iter().map(|one| {
            let written = ConsentInput::by_member(one.purpose, one.decision);
            let at = consents::next_instant(conn, member_id, inside.now())?;
            let row = ConsentRow::new(inside.new_id(), member_id, written, account.id, at);
            consents::insert(conn, std::slice::from_ref(&row))
        });
        rows.collect::<Result<Vec<()>>>()?;
        use_up(conn, &inside, &link, &account)?;
        Ok(account)
    });
    begun(&context, &account.await?).await
}

/// The record of somebody who has registered.
fn record_of(form: &SelfRegistration) -> MemberInput {
    let form = form.clone();
    MemberInput {
        preferred_name: form.preferred_name,
        given_name: form.given_name,
        family_name: form.family_name,
        former_names: Vec::new(),
        pronouns: form.pronouns,
        date_of_birth: form.date_of_birth,
        email: Some(form.email),
        phone: form.phone,
        line_1: None,
        line_2: None,
        town: None,
        postcode: form.postcode,
        local_authority: None,
        nhs_number: None,
        gp_practice_code: None,
        roles: vec![MemberRole::ServiceUser],
        contact_preferences: ContactPreferences::default(),
        safe_contact: SafeContact::default(),
        message_details: MessageDetails::default(),
        reminders: true,
        emergency_contact: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_can_register_from_their_thirteenth_birthday_on() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let young = |born: &str, today: &str| is_too_young(Some(day(born)), day(today));
        assert!(young("2013-12-02", "2026-12-01") && !young("2013-12-01", "2026-12-01"));
        assert!(young("2012-02-29", "2025-02-27") && !young("2012-02-29", "2025-02-28"));
        assert!(!is_too_young(None, day("2026-12-01")));
    }
}
