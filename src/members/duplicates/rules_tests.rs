//! The table of points and the pairs that it was made for.

use proptest::prelude::*;

use super::*;

/// A record as a test writes it: given and family name, and what else is known.
#[derive(Clone, Copy, Default)]
struct Who {
    given: &'static str,
    family: &'static str,
    preferred: Option<&'static str>,
    former: &'static [&'static str],
    born: Option<&'static str>,
    phone: Option<&'static str>,
    email: Option<&'static str>,
    postcode: Option<&'static str>,
    nhs: Option<&'static str>,
}

fn who(given: &'static str, family: &'static str) -> Who {
    Who { given, family, ..Who::default() }
}

impl Who {
    fn traits(self) -> Traits {
        let names = Names { preferred: self.preferred, given: self.given, family: self.family };
        let text = |text: Option<&str>| text.map(str::to_owned);
        Traits::named(names, self.former.iter().copied())
            .born(self.born.map(|day| day.parse().unwrap()), text(self.nhs))
            .reached(text(self.phone), text(self.email), text(self.postcode))
    }
}

fn score(one: Who, other: Who) -> i32 {
    let (there, back) = (compare(&one.traits(), &other.traits()), compare(&other.traits(), &one.traits()));
    let likeness = there.clone().expect("they may be one person");
    assert_eq!(Some(likeness.score), back.map(|likeness| likeness.score), "the order doesn't matter");
    likeness.score
}

fn because(one: Who, other: Who) -> Vec<Sign> {
    compare(&one.traits(), &other.traits()).expect("they may be one person").because
}

const APRIL: Option<&str> = Some("1961-04-02");

#[test]
fn a_mistyped_given_name_stops() {
    let (one, other) =
        (Who { born: APRIL, ..who("Nadia", "Neverdale") }, Who { born: APRIL, ..who("Nadja", "Neverdale") });
    assert_eq!(score(one, other), 26);
    assert_eq!(because(one, other), [Sign::FamilyName, Sign::GivenNameNear, Sign::Birthday]);
}

#[test]
fn a_name_written_apart_stops() {
    let (one, other) =
        (Who { born: APRIL, ..who("Layla", "Al-Hassan") }, Who { born: APRIL, ..who("Layla", "Alhassan") });
    assert_eq!(score(one, other), 28);
}

#[test]
fn twins_are_only_listed() {
    let home = Who {
        born: APRIL,
        phone: Some("+441514960123"),
        email: Some("reid@example.org"),
        postcode: Some("L9 1AA"),
        ..who("", "Reid")
    };
    let (amy, ava) = (Who { given: "Amy", ..home }, Who { given: "Ava", ..home });
    assert_eq!(score(amy, ava), 16);
    assert!((LISTED..STOPS).contains(&score(amy, ava)));
}

#[test]
fn strangers_with_one_name_are_nothing() {
    let john = who("John", "Smith");
    let one = Who { born: APRIL, postcode: Some("L9 1AA"), ..john };
    let other = Who { born: Some("1975-11-20"), postcode: Some("PR8 1DJ"), ..john };
    assert_eq!(score(one, other), 7);
}

#[test]
fn a_familiar_form_with_the_same_postcode_stops() {
    let one = Who { postcode: Some("L9 1AA"), ..who("Peg", "Reid") };
    let other = Who { postcode: Some("L9 1AA"), ..who("Margaret", "Reid") };
    assert_eq!(score(one, other), 18);
    assert_eq!(because(one, other), [Sign::FamilyName, Sign::GivenNameNear, Sign::Postcode]);
}

#[test]
fn swapped_names_stop() {
    let (one, other) = (Who { born: APRIL, ..who("Smith", "John") }, Who { born: APRIL, ..who("John", "Smith") });
    assert_eq!(score(one, other), 24);
    assert_eq!(because(one, other), [Sign::NamesSwapped, Sign::Birthday]);
}

#[test]
fn the_points_of_each_field_are_those_of_the_table() {
    // The names alone.
    for (one, other, points) in [
        (who("Ann", "Reid"), who("Ann", "Reid"), 14),
        (who("Ann", "Reid"), who("Ann", "Read"), 12), // one letter of four
        (who("Ann", "Thompson"), who("Ann", "Thomson"), 12),
        (who("Ann", "Stephens"), who("Ann", "Stevens"), 12), // they sound the same
        (who("Ann", "Lee"), who("Ann", "Lea"), 12),          // they sound the same
        (who("Ann", "Wyn-Jones"), who("Ann", "Jones"), 11),
        (who("Ann", "Reid"), who("Ann", "Walker"), 2),
        (who("Ann", ""), who("Ann", "Walker"), 6),
        (who("Suharto", ""), who("Suharto", ""), 6),
        (who("A", "Reid"), who("Ann", "Reid"), 12),
        (who("Ann Marie", "Reid"), who("Ann", "Reid"), 14),
        (who("Ann Marie", "Reid"), who("Ann Louise", "Reid"), 12),
        (who("Marie Ann", "Reid"), who("Ann", "Reid"), 11),
        (who("Ben", "Reid"), who("Benedict", "Reid"), 12),
        (who("Jo", "Reid"), who("Joachim", "Reid"), 2), // two letters are no beginning
        (who("Ann", "Reid"), who("Zoe", "Reid"), 2),
        (Who { preferred: Some("Zoe"), ..who("Ann", "Reid") }, who("Zoe", "Reid"), 14),
        (Who { former: &["Ann Walker"], ..who("Ann", "Reid") }, who("Ann", "Walker"), 14),
        (Who { former: &["Zoe"], ..who("Ann", "Reid") }, who("Zoe", "Reid"), 14),
    ] {
        assert_eq!(score(one, other), points, "{} {} / {} {}", one.given, one.family, other.given, other.family);
    }
    let born = |day| Who { born: Some(day), ..who("Ann", "Reid") };
    for (one, other, points) in [
        ("1961-04-02", "1961-04-02", 14),
        ("1961-01-01", "1961-01-01", 6),
        ("1961-04-02", "1961-02-04", 4),
        ("1961-04-02", "1961-04-03", 4),
        ("1961-04-02", "1971-04-02", 4),
        ("1961-04-02", "1962-04-03", -6),
        ("1961-04-12", "1961-12-05", -6),
    ] {
        assert_eq!(score(born(one), born(other)) - 14, points, "{one} {other}");
    }
    assert_eq!(score(born("1961-04-02"), who("Ann", "Reid")), 14, "unknown");
    let ann = who("Ann", "Reid");
    let at = |phone, email, postcode| Who { phone, email, postcode, ..ann };
    let (one, two) = (Some("+441514960123"), Some("+441514960124"));
    for (a, b, points) in [
        (at(one, None, None), at(one, None, None), 7),
        (at(one, None, None), at(two, None, None), -1),
        (at(None, Some("a@b.org"), None), at(None, Some("a@b.org"), None), 7),
        (at(None, Some("a@b.org"), None), at(None, Some("c@b.org"), None), 0),
        (at(None, None, Some("L9 1AA")), at(None, None, Some("L9 1AA")), 6),
        (at(None, None, Some("L9 1AA")), at(None, None, Some("L9 2BB")), 1),
        (at(None, None, Some("L9 1AA")), at(None, None, Some("L19 1AA")), -1),
        (at(one, Some("a@b.org"), Some("L9 1AA")), at(one, Some("a@b.org"), Some("L9 1AA")), 10),
        (at(one, Some("a@b.org"), Some("L9 1AA")), at(two, Some("a@b.org"), Some("L9 1AA")), 10),
        (at(one, None, Some("L9 1AA")), at(two, None, Some("PR8 1DJ")), -2),
        (at(one, None, None), ann, 0),
    ] {
        assert_eq!(score(a, b) - 14, points);
    }
}

#[test]
fn parents_and_children_never_stop_a_registration() {
    let home =
        Who { phone: Some("+441514960123"), email: Some("a@b.org"), postcode: Some("L9 1AA"), ..who("", "Reid") };
    let mother = Who { given: "Margaret", born: APRIL, ..home };
    assert!(score(mother, Who { given: "Zoe", born: Some("1990-07-19"), ..home }) < LISTED);
    assert_eq!(score(mother, Who { given: "Zoe", born: APRIL, ..home }), 16);
    // Another family name, and a given name that is only near.
    let lodger = Who { given: "Maggie", family: "Walker", born: APRIL, ..home };
    assert_eq!(score(mother, lodger), 16);
    // With an equal given name it is rather somebody who has married.
    assert_eq!(score(mother, Who { given: "Margaret", ..lodger }), 14 + 6 - 4 + 10);
}

#[test]
fn two_nhs_numbers_are_two_people_and_one_is_no_hindrance() {
    let one = Who { born: APRIL, nhs: Some("9434765919"), ..who("Ann", "Reid") };
    assert_eq!(compare(&one.traits(), &Who { nhs: Some("9434765870"), ..one }.traits()), None);
    assert_eq!(score(one, Who { nhs: None, ..one }), 28);
}

#[test]
fn names_in_other_scripts_are_compared_too() {
    let (one, other) =
        (Who { born: APRIL, ..who("Андрей", "Иванов") }, Who { born: APRIL, ..who("Андреи\u{306}", "Иванова") });
    assert_eq!(score(one, other), 14 + 6 + 6);
}

proptest! {
    #[test]
    fn comparing_is_the_same_both_ways_and_bounded(
        names in prop::array::uniform4("\\PC{0,12}"),
        days in prop::array::uniform2(prop::option::of(0..40_000i32)),
    ) {
        let day = |number: Option<i32>| number.and_then(|n| NaiveDate::from_ymd_opt(1900, 1, 1)?.checked_add_days(chrono::Days::new(n as u64)));
        let of = |given: &str, family: &str, born| {
            Traits::named(Names { preferred: None, given, family }, std::iter::empty()).born(day(born), None)
        };
        let (one, other) = (of(&names[0], &names[1], days[0]), of(&names[2], &names[3], days[1]));
        let (there, back) = (compare(&one, &other).unwrap(), compare(&other, &one).unwrap());
        prop_assert_eq!(there.score, back.score);
        prop_assert!((-16..=38).contains(&there.score));
    }
}
