//! Made-up people and their consents. Telephone numbers are from the range reserved for drama, e-mail addresses from a
//! domain reserved for examples, and NHS numbers from the range reserved for tests (999).

use chrono::{Days, NaiveDate};

use super::places::Places;
use super::random::Random;
use super::{MAKER, MEMBERS, day, noon};
use crate::auth::caller::Role;
use crate::db::Id;
use crate::members::consents::store::ConsentRow;
use crate::members::consents::types::{ConsentDecision, ConsentInput, ConsentPurpose};
use crate::members::store::MemberRow;
use crate::members::types::{ContactPreferences, MemberInput, MemberRole, MessageDetails, SafeContact};
use crate::users::store::UserRow;
use crate::users::types::UserInput;

const GIVEN: [&str; 48] = [
    "Ada", "Alfie", "Amina", "Arthur", "Beryl", "Callum", "Carmen", "Cilla", "Dermot", "Dilys", "Edie", "Elsie",
    "Farah", "Fergus", "Gladys", "Grace", "Hamza", "Hattie", "Ida", "Ivor", "Jean", "Joyce", "Kofi", "Lena", "Lionel",
    "Mabel", "Maeve", "Nadia", "Ned", "Olive", "Omar", "Pearl", "Percy", "Queenie", "Ravi", "Rita", "Rory", "Saoirse",
    "Sid", "Stella", "Tariq", "Una", "Vera", "Walter", "Wendy", "Yasmin", "Zadie", "Zoran",
];
/// Family names that nobody has, in two halves.
const FAMILY: ([&str; 16], [&str; 12]) = (
    [
        "Sample",
        "Mock",
        "Pretend",
        "Demo",
        "Placehold",
        "Fable",
        "Story",
        "Made",
        "Never",
        "Specimen",
        "Trial",
        "Practice",
        "Sketch",
        "Puppet",
        "Paper",
        "Rehearsal",
    ],
    ["well", "ford", "ham", "wick", "shaw", "by", "stone", "worth", "ley", "bridge", "croft", "dale"],
);
const AUTHORITIES: [(&str, &str); 8] = [
    ("Liverpool", "L4"),
    ("Liverpool", "L8"),
    ("Liverpool", "L19"),
    ("Sefton", "PR8"),
    ("Sefton", "L20"),
    ("Knowsley", "L32"),
    ("Wirral", "CH41"),
    ("St Helens", "WA10"),
];

/// All people, by number.
pub(super) struct People {
    pub(super) members: Vec<MemberRow>,
    pub(super) consents: Vec<ConsentRow>,
    /// Accounts of some members. Nobody knows their passwords.
    pub(super) accounts: Vec<UserRow>,
}

pub(super) fn plan(random: &mut Random, places: &Places) -> People {
    let mut people = People { members: Vec::with_capacity(MEMBERS), consents: Vec::new(), accounts: Vec::new() };
    for number in 0..MEMBERS {
        let joined = day(2020, 1, 6) + Days::new((number % 600) as u64);
        let member = member(random, number, joined);
        add_consents(&mut people.consents, random, places, member.id, joined);
        // Not the first ones: the account that is printed belongs to one of them.
        if number % 10 == 3 {
            people.accounts.extend(account(&mut Random::new(number as u64), &member, joined));
        }
        people.members.push(member);
    }
    people
}

fn member(random: &mut Random, number: usize, joined: NaiveDate) -> MemberRow {
    let given = *random.pick(&GIVEN);
    let family = format!("{}{}", random.pick(&FAMILY.0), random.pick(&FAMILY.1));
    let (authority, district) = *random.pick(&AUTHORITIES);
    let email = random.chance(60).then(|| format!("demo.member.{number}@example.org"));
    let phone = random.chance(70).then(|| format!("+441514960{:03}", random.below(1000)));
    let post = random.chance(50);
    let id = random.id(noon(joined));
    let (by_email, by_phone) = (email.is_some(), phone.is_some());
    let member = MemberInput {
        preferred_name: None,
        given_name: given.to_owned(),
        family_name: Some(family),
        former_names: Vec::new(),
        pronouns: None,
        date_of_birth: Some(day(1935, 1, 1) + Days::new(random.below(26_000) as u64)),
        email,
        phone,
        line_1: None,
        line_2: None,
        town: None,
        // No real postcode ends like this.
        postcode: Some(format!("{district} 9ZZ")),
        local_authority: Some(authority.to_owned()),
        nhs_number: number.is_multiple_of(2).then(|| test_nhs_number(number)).flatten(),
        gp_practice_code: None,
        roles: vec![if number.is_multiple_of(17) { MemberRole::Carer } else { MemberRole::ServiceUser }],
        contact_preferences: ContactPreferences { email: by_email, sms: false, phone: by_phone, post },
        safe_contact: SafeContact::default(),
        message_details: MessageDetails::default(),
        reminders: true,
        emergency_contact: None,
    };
    MemberRow::new(id, member, noon(joined))
}

/// The account of a member who has an e-mail address.
fn account(random: &mut Random, member: &MemberRow, joined: NaiveDate) -> Option<UserRow> {
    let account = UserInput {
        email: member.written().email?,
        display_name: None,
        role: Role::Member,
        partner_id: None,
        disabled: false,
        permissions: Vec::new(),
    };
    Some(UserRow::new(random.id(noon(joined)), account, Some(member.id), None, noon(joined)))
}

/// An NHS number of the test range, with its check digit. `None` if the check digit would be 10.
fn test_nhs_number(number: usize) -> Option<String> {
    let digits = format!("999{number:06}");
    let sum: u32 = digits.bytes().zip((2u32..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    match 11 - sum % 11 {
        10 => None,
        11 => Some(format!("{digits}0")),
        check => Some(format!("{digits}{check}")),
    }
}

fn add_consents(
    consents: &mut Vec<ConsentRow>,
    random: &mut Random,
    places: &Places,
    member_id: Id,
    joined: NaiveDate,
) {
    let mut add = |random: &mut Random, purpose, partner_id, decision, day: NaiveDate| {
        let evidence = Some("Signed form (demo)".to_owned());
        let consent = ConsentInput { partner_id, evidence, ..ConsentInput::by_member(purpose, decision) };
        consents.push(ConsentRow::new(random.id(noon(day)), member_id, consent, MAKER, noon(day)));
    };
    use ConsentDecision::{Given, Withdrawn};
    use ConsentPurpose::{ServiceDelivery, ShareWithPartner};
    add(random, ServiceDelivery, None, Given, joined);
    let reader = places.partner("the-reader");
    if reader.is_some() && random.chance(30) {
        // No two consents of a member are recorded at the same instant.
        add(random, ShareWithPartner, reader, Given, joined + Days::new(1));
        if random.chance(10) {
            add(random, ShareWithPartner, reader, Withdrawn, joined + Days::new(200));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::nhs_number;

    #[test]
    fn test_numbers_are_valid_nhs_numbers() {
        let made: Vec<String> = (0..2000).filter_map(test_nhs_number).collect();
        assert!(made.len() > 1700);
        for number in made {
            assert_eq!(nhs_number::read(&number), Ok(number.clone()));
        }
    }
}
