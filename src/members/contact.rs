//! Whether the service may write to a member.

use std::collections::HashMap;

use diesel::prelude::*;

use super::consents::types::{ConsentDecision, ConsentPurpose};
use super::types::ContactPreferences;
use crate::db::schema::{consent_states, members, users};
use crate::db::{AT_ONCE, Conn, Id, Json};
use crate::error::{Error, Fault, Result};
use crate::messages::Told;

/// Checks the e-mail address that a member writes into their own record: it must be that of their account. Otherwise the
/// service would write to an address that nobody has confirmed, which may be a stranger's.
///
/// # Errors
/// 422 with the way to change it.
pub fn check_own_address(conn: &mut Conn, account: Id, email: Option<&str>) -> Result<()> {
    let Some(email) = email else { return Ok(()) };
    let own: Option<String> = users::table.find(account).select(users::email).first(conn).optional()?;
    if own.is_some_and(|own| own.to_lowercase() == email.to_lowercase()) {
        return Ok(());
    }
    let detail = "Must be the address of your account. Change that with POST /v1/me/email-change: once you have confirmed the \
                  new address, it stands here too.";
    Err(Error::invalid(vec![Fault::at("/email", "not_confirmed", detail)]))
}

/// What decides whether the service may write to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Whether they have an e-mail address.
    pub has_address: bool,
    /// What they said last about e-mails.
    pub email: Option<ConsentDecision>,
    /// Whether their record says that e-mails are a good way.
    pub prefers_email: bool,
    /// What they said last about getting support.
    pub service: Option<ConsentDecision>,
}

/// Whether the service may write to a member about their bookings.
pub fn may_write(wishes: Wishes) -> Told {
    let Wishes { has_address, email, prefers_email, service } = wishes;
    let (given, withdrawn) = (Some(ConsentDecision::Given), Some(ConsentDecision::Withdrawn));
    if email == withdrawn || service == withdrawn || !(prefers_email || email == given) {
        return Told::Not("not_allowed");
    }
    if has_address { Told::Email } else { Told::Not("no_address") }
}

/// A member's address and preferences, with one of their consents.
type WishRow = (Id, Option<String>, Json<ContactPreferences>, Option<(ConsentPurpose, ConsentDecision)>);

/// Whether the service may write to each of these members.
pub fn may_write_to(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Told>> {
    let mut told = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        let asked = consent_states::purpose.eq_any([ConsentPurpose::ContactEmail, ConsentPurpose::ServiceDelivery]);
        let theirs = consent_states::member_id.eq(members::id).and(asked);
        let rows: Vec<WishRow> = members::table
            .left_join(consent_states::table.on(theirs))
            .filter(members::id.eq_any(chunk))
            .select((
                members::id,
                members::email,
                members::contact_preferences,
                (consent_states::purpose, consent_states::decision).nullable(),
            ))
            .load(conn)?;
        let mut wishes: HashMap<Id, Wishes> = HashMap::new();
        for (id, address, preferences, said) in rows {
            let wishes = wishes.entry(id).or_insert(Wishes {
                has_address: address.is_some(),
                email: None,
                prefers_email: preferences.0.email,
                service: None,
            });
            match said {
                Some((ConsentPurpose::ContactEmail, decision)) => wishes.email = Some(decision),
                Some((_, decision)) => wishes.service = Some(decision),
                None => {}
            }
        }
        told.extend(wishes.into_iter().map(|(id, wishes)| (id, may_write(wishes))));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_written_to_where_they_allow_it_and_never_against_their_word() {
        let (given, withdrawn) = (Some(ConsentDecision::Given), Some(ConsentDecision::Withdrawn));
        let (not_allowed, no_address) = (Told::Not("not_allowed"), Told::Not("no_address"));
        for (has_address, prefers_email, email, service, told) in [
            (true, true, None, None, Told::Email),
            (true, false, given, None, Told::Email),
            (true, false, given, given, Told::Email),
            (true, false, None, given, not_allowed),
            (true, false, None, None, not_allowed),
            (true, true, withdrawn, given, not_allowed),
            (true, true, given, withdrawn, not_allowed),
            (false, true, given, given, no_address),
            (false, true, withdrawn, None, not_allowed),
        ] {
            let wishes = Wishes { has_address, email, prefers_email, service };
            assert_eq!(may_write(wishes), told, "{wishes:?}");
        }
    }
}
