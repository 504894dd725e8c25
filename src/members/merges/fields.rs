//! The fields of two records that become one, without a database.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::members::types::{FormerName, MemberInput, SafeContact};
use crate::text::fold::name_key;

/// The most former names of a member.
const MOST_FORMER_NAMES: usize = 5;
/// The most characters of a former name.
const LONGEST_NAME: usize = 200;

/// The record that two records become. What `into` says stands; `from` fills in what it leaves open. Lists are united. An
/// address isn't put together of two. What one of them says isn't safe isn't safe.
pub fn united(into: &MemberInput, from: &MemberInput) -> MemberInput {
    let (own, other) = (into.clone(), from.clone());
    let former_names = united_names(into, from);
    let one_home = is_one_home(into, from);
    let home = |own: Option<String>, other: Option<String>| own.or(other.filter(|_| one_home));
    MemberInput {
        preferred_name: own.preferred_name.or(other.preferred_name),
        given_name: own.given_name,
        family_name: own.family_name.or(other.family_name),
        former_names,
        pronouns: own.pronouns.or(other.pronouns),
        date_of_birth: own.date_of_birth.or(other.date_of_birth),
        email: own.email.or(other.email),
        phone: own.phone.or(other.phone),
        line_1: home(own.line_1, other.line_1),
        line_2: home(own.line_2, other.line_2),
        town: home(own.town, other.town),
        postcode: home(own.postcode, other.postcode),
        local_authority: home(own.local_authority, other.local_authority),
        nhs_number: own.nhs_number.or(other.nhs_number),
        gp_practice_code: own.gp_practice_code.or(other.gp_practice_code),
        roles: own.roles.iter().chain(other.roles.iter().filter(|role| !own.roles.contains(role))).copied().collect(),
        contact_preferences: own.contact_preferences,
        safe_contact: SafeContact {
            voicemail: own.safe_contact.voicemail && other.safe_contact.voicemail,
            letters: own.safe_contact.letters && other.safe_contact.letters,
            say_who: own.safe_contact.say_who && other.safe_contact.say_who,
        },
        message_details: own.message_details,
        reminders: own.reminders && other.reminders,
        emergency_contact: own.emergency_contact.or(other.emergency_contact),
    }
}

/// Whether the address of the one record can be filled in from the other: nothing in which they differ, and it is the same
/// street or postcode, or the first record says neither. Otherwise a letter would go to a place that nobody named.
fn is_one_home(own: &MemberInput, other: &MemberInput) -> bool {
    let both = [
        (&own.line_1, &other.line_1),
        (&own.line_2, &other.line_2),
        (&own.town, &other.town),
        (&own.postcode, &other.postcode),
        (&own.local_authority, &other.local_authority),
    ];
    let says_nothing = [&own.line_1, &own.line_2, &own.postcode].iter().all(|line| line.is_none());
    let same = |own: &Option<String>, other: &Option<String>| own.is_some() && own == other;
    let agrees = both.iter().all(|(own, other)| own.is_none() || other.is_none() || own == other);
    agrees && (says_nothing || same(&own.line_1, &other.line_1) || same(&own.postcode, &other.postcode))
}

/// The former names of both. What the other record calls the person becomes a former name too, if a word of it is in no name
/// of the joined record: whoever looks for the old spelling finds the person by it.
fn united_names(own: &MemberInput, other: &MemberInput) -> Vec<FormerName> {
    let words = |name: &str| name_key(name).split(' ').map(str::to_owned).collect::<Vec<_>>();
    let family = own.family_name.as_ref().or(other.family_name.as_ref());
    let preferred = own.preferred_name.as_ref().or(other.preferred_name.as_ref());
    let former = own.former_names.iter().map(|name| &name.0);
    let now = [Some(&own.given_name), family, preferred].into_iter().flatten().chain(former);
    let known: HashSet<String> = now.flat_map(|name| words(name)).collect();
    let whole = |given: &String| match &other.family_name {
        Some(family) => format!("{given} {family}"),
        None => given.clone(),
    };
    let called = [Some(&other.given_name), other.preferred_name.as_ref()].into_iter().flatten().map(whole);
    let new =
        |name: &String| name.chars().count() <= LONGEST_NAME && words(name).iter().any(|word| !known.contains(word));
    let mut names = own.former_names.clone();
    for name in called.filter(new).map(FormerName).chain(other.former_names.iter().cloned()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST_FORMER_NAMES);
    names
}

fn members_of(record: &MemberInput) -> Result<Map<String, Value>> {
    match serde_json::to_value(record).map_err(Error::internal)? {
        Value::Object(members) => Ok(members),
        _ => Err(Error::internal("a record is an object")),
    }
}

/// The names of the fields in which two states of a record differ.
pub fn differing(before: &MemberInput, after: &MemberInput) -> Result<Vec<String>> {
    let (before, after) = (members_of(before)?, members_of(after)?);
    Ok(after.into_iter().filter(|(name, value)| before.get(name) != Some(value)).map(|(name, _)| name).collect())
}

/// A record without what merging filled in: a field that is still as merging left it gets its value from before. What was
/// edited since stays.
///
/// # Errors
/// 500 if the record can't be read.
pub fn taken_back(before: &MemberInput, after: &MemberInput, now: &MemberInput) -> Result<MemberInput> {
    let (before, after, mut now) = (members_of(before)?, members_of(after)?, members_of(now)?);
    for (name, value) in &mut now {
        if after.get(name) == Some(value)
            && let Some(earlier) = before.get(name)
        {
            *value = earlier.clone();
        }
    }
    serde_json::from_value(Value::Object(now)).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(changes: Value) -> MemberInput {
        let mut body = json!({ "given_name": "Margaret", "roles": ["service_user"] });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn the_other_record_fills_in_what_is_open_and_lists_are_united() {
        let into = record(json!({ "phone": "1", "roles": ["carer"], "former_names": ["A", "B"] }));
        let from = record(json!({
            "family_name": "Reid", "phone": "2", "email": "a@b.org", "date_of_birth": "1961-04-02",
            "roles": ["service_user", "carer"], "former_names": ["B", "C", "D", "E", "F"], "nhs_number": "9434765919",
            "contact_preferences": { "email": true }, "message_details": "full"
        }));
        let both = united(&into, &from);
        assert_eq!((both.family_name.as_deref(), both.phone.as_deref()), (Some("Reid"), Some("1")));
        assert_eq!(serde_json::to_value(&both.roles).unwrap(), json!(["carer", "service_user"]));
        assert_eq!(serde_json::to_value(&both.former_names).unwrap(), json!(["A", "B", "C", "D", "E"]));
        assert!(!both.contact_preferences.email, "what the record says stands");
        let filled = differing(&into, &both).unwrap();
        assert_eq!(filled, ["date_of_birth", "email", "family_name", "former_names", "nhs_number", "roles"]);
        assert_eq!(taken_back(&into, &both, &both).unwrap(), into);
        let edited = MemberInput { email: Some("c@b.org".into()), pronouns: Some("she".into()), ..both.clone() };
        let back = taken_back(&into, &both, &edited).unwrap();
        assert_eq!((back.email.as_deref(), back.pronouns.as_deref()), (Some("c@b.org"), Some("she")));
        assert_eq!((back.family_name, back.nhs_number), (None, None));
    }

    #[test]
    fn another_spelling_of_a_name_becomes_a_former_name() {
        let into = record(json!({ "family_name": "Reid", "preferred_name": "Peg", "former_names": ["Margaret Wyn"] }));
        let former = |from: Value| {
            let mut other = record(json!({}));
            for (name, value) in from.as_object().unwrap() {
                let mut body = serde_json::to_value(&other).unwrap();
                body[name] = value.clone();
                other = serde_json::from_value(body).unwrap();
            }
            serde_json::to_value(united(&into, &other).former_names).unwrap()
        };
        for same in [json!({}), json!({ "family_name": "REID" }), json!({ "given_name": "Peg", "family_name": "Wyn" })]
        {
            assert_eq!(former(same), json!(["Margaret Wyn"]));
        }
        let other = json!({ "given_name": "Margret", "family_name": "Read", "preferred_name": "Meg" });
        assert_eq!(former(other), json!(["Margaret Wyn", "Margret Read", "Meg Read"]));
    }

    #[test]
    fn an_address_is_not_put_together_of_two() {
        let from = record(json!({ "line_1": "12 Rice Lane", "town": "Liverpool", "postcode": "L9 1AA" }));
        let elsewhere = united(&record(json!({ "postcode": "PR8 1DJ" })), &from);
        assert_eq!((elsewhere.line_1, elsewhere.postcode.as_deref()), (None, Some("PR8 1DJ")));
        for into in [json!({}), json!({ "postcode": "L9 1AA" })] {
            let same = united(&record(into), &from);
            assert_eq!((same.line_1.as_deref(), same.postcode.as_deref()), (Some("12 Rice Lane"), Some("L9 1AA")));
        }
        let home = |record: MemberInput| [record.line_1, record.line_2, record.town, record.postcode];
        let from = record(json!({ "line_1": "12 Rice Lane", "line_2": "Walton", "town": "Liverpool",
            "postcode": "L9 1AA", "local_authority": "Liverpool" }));
        for into in [
            json!({ "line_1": "5 High St" }),
            json!({ "line_1": "5 High St", "postcode": "L9 1AA" }),
            json!({ "line_2": "Flat 2" }),
            json!({ "town": "Southport" }),
            json!({ "local_authority": "Sefton" }),
            json!({ "line_1": "12 Rice Lane", "postcode": "L9 1AB" }),
        ] {
            let into = record(into);
            let both = united(&into, &from);
            assert_eq!(both.local_authority, into.local_authority);
            assert_eq!(home(both), home(into));
        }
        for into in
            [json!({ "town": "Liverpool" }), json!({ "line_1": "12 Rice Lane" }), json!({ "postcode": "L9 1AA" })]
        {
            assert_eq!(home(united(&record(into), &from)), home(from.clone()));
        }
    }

    #[test]
    fn what_one_of_them_says_is_not_safe_is_not_safe() {
        let both = united(
            &record(json!({ "safe_contact": { "letters": false } })),
            &record(json!({ "safe_contact": { "voicemail": false } })),
        );
        assert_eq!(both.safe_contact, SafeContact { voicemail: false, letters: false, say_who: true });
    }
}
