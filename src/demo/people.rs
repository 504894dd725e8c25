//! Made-up people and their consents. Telephone numbers are from the range reserved for drama, e-mail addresses from a
//! domain reserved for examples, and NHS numbers from the range reserved for tests (999).

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::places::Places;
use super::random::Random;
use super::store::{ConsentRow, MemberRow};
use super::{MAKER, MEMBERS, day, noon};
use crate::db::{Id, Json};
use crate::places::LocalAuthority;
use crate::text::fold::joined_key;

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
}

pub(super) fn plan(random: &mut Random, places: &Places) -> People {
    let mut people = People { members: Vec::with_capacity(MEMBERS), consents: Vec::new() };
    for number in 0..MEMBERS {
        let joined = day(2020, 1, 6) + Days::new((number % 600) as u64);
        let member = member(random, number, joined);
        add_consents(&mut people.consents, random, places, member.id, joined);
        people.members.push(member);
    }
    people
}

fn member(random: &mut Random, number: usize, joined: NaiveDate) -> MemberRow {
    let given = *random.pick(&GIVEN);
    let family = format!("{}{}", random.pick(&FAMILY.0), random.pick(&FAMILY.1));
    let (authority, district) = *random.pick(&AUTHORITIES);
    let at = noon(joined);
    let email = random.chance(60).then(|| format!("demo.member.{number}@example.org"));
    let phone = random.chance(70).then(|| format!("+441514960{:03}", random.below(1000)));
    let post: bool = random.chance(50);
    MemberRow {
        id: random.id(at),
        preferred_name: None,
        given_name: given,
        given_key: joined_key(given),
        family_key: joined_key(&family),
        family_name: family,
        pronouns: None,
        date_of_birth: Some(day(1935, 1, 1) + Days::new(random.below(26_000) as u64)),
        contact_preferences: Json(
            json!({ "email": email.is_some(), "sms": false, "phone": phone.is_some(), "post": post }),
        ),
        email,
        phone,
        // No real postcode ends like this.
        postcode: Some(format!("{district} 9ZZ")),
        local_authority: Some(authority),
        local_authority_code: authority.parse::<LocalAuthority>().ok().map(|known| known.code),
        nhs_number: if number.is_multiple_of(2) { test_nhs_number(number) } else { None },
        gp_practice_code: None,
        roles: Json(vec![if number.is_multiple_of(17) { "carer" } else { "service_user" }]),
        emergency_contact: None::<Json<Value>>,
        version: 1,
        created_at: at,
        updated_at: at,
    }
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
        consents.push(ConsentRow {
            id: random.id(noon(day)),
            member_id,
            purpose,
            partner_id,
            decision,
            evidence: "Signed form (demo)",
            recorded_by: MAKER,
            recorded_at: noon(day),
        });
    };
    add(random, "service_delivery", None, "given", joined);
    let reader = places.partner("the-reader");
    if reader.is_some() && random.chance(30) {
        add(random, "share_with_partner", reader, "given", joined);
        if random.chance(10) {
            add(random, "share_with_partner", reader, "withdrawn", joined + Days::new(200));
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
