//! How alike two records are.
//!
//! Each field gives points, which are added up: for two records of one person and for two of different people, how often
//! does the field agree, and what does the ratio weigh (log2 of m over u, rounded)?
//!
//! | field | equal | near | part | different | missing |
//! | --- | --- | --- | --- | --- | --- |
//! | family name | 8 | 6 | 5 | −4 | 0 |
//! | given name | 6 | 4 | 3 | −6 | 0 |
//! | birthday | 14; on 1 January 6 | 4 | | −6 | 0 |
//! | telephone number | 7 | | | −1 | 0 |
//! | e-mail address | 7 | | | 0 | 0 |
//! | postcode | 6 | 1 | | −1 | 0 |
//!
//! - Given and family name swapped count as near and near.
//! - Telephone number, e-mail address and postcode count at most 10 together, because households share them.
//! - With another given name, and with another family name unless the given names are equal, the sum is at most 16: twins,
//!   and parents and children, never stop a registration.
//! - Two NHS numbers that differ are two people.
//!
//! Source: I. P. Fellegi, A. B. Sunter, "A Theory for Record Linkage", Journal of the American Statistical Association 64
//! (1969).

use chrono::{Datelike, NaiveDate};

use super::nicknames::are_forms_of_one_name;
use super::types::Sign;
use crate::text::fold::{joined_key, name_key};
use crate::text::sound::family_sound;

/// From so many points on, a registration is refused until somebody confirms that this is another person.
pub const STOPS: i32 = 17;
/// From so many points on, a pair comes onto the list to be gone through.
pub const LISTED: i32 = 13;
/// The most points of two people with other names.
const OTHER_NAMES: i32 = 16;
/// The most points of what households share.
const HOUSEHOLD: i32 = 10;

/// How well two names fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Different,
    Part,
    Near,
    Equal,
}

/// A name in the forms that are compared.
#[derive(Debug, Clone)]
struct Name {
    joined: String,
    words: Vec<String>,
}

impl Name {
    /// `None` for a name without letters.
    fn read(text: &str) -> Option<Self> {
        let words: Vec<String> = name_key(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        (!words.is_empty()).then(|| Self { joined: joined_key(text), words })
    }

    fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn shares_a_word(&self, other: &Self) -> bool {
        self.words.iter().any(|word| letters(word) > 1 && other.words.contains(word))
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// Whether one letter is missing, added, changed or swapped with its neighbour, in names of at least `least` letters.
fn is_one_edit(one: &str, other: &str, least: usize) -> bool {
    letters(one).min(letters(other)) >= least && strsim::osa_distance(one, other) == 1
}

/// Whether two names are alike by the measure of Jaro and Winkler. It isn't quite the same both ways, so the better one
/// counts.
fn are_like(one: &str, other: &str, least: f64) -> bool {
    strsim::jaro_winkler(one, other).max(strsim::jaro_winkler(other, one)) >= least
}

/// The traits that two records are compared by.
#[derive(Debug, Clone)]
pub struct Traits {
    /// The family name, and those of former names.
    family: Vec<Name>,
    /// Whether the person has a family name now.
    has_family: bool,
    /// The given name, the preferred name, and those of former names.
    given: Vec<Name>,
    born: Option<NaiveDate>,
    phone: Option<String>,
    email: Option<String>,
    postcode: Option<String>,
    nhs_number: Option<String>,
}

/// The names of a record, as they are written.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// What the person likes to be called.
    pub preferred: Option<&'a str>,
    /// The given name.
    pub given: &'a str,
    /// The family name; empty for somebody with one name.
    pub family: &'a str,
}

impl Traits {
    /// Traits of these names. `former` are whole names that the person had before.
    pub fn named<'a>(names: Names<'a>, former: impl Iterator<Item = &'a str>) -> Self {
        let mut family: Vec<Name> = Name::read(names.family).into_iter().collect();
        let has_family = !family.is_empty();
        let mut given: Vec<Name> =
            [Some(names.given), names.preferred].into_iter().flatten().filter_map(Name::read).collect();
        for whole in former {
            let key = name_key(whole);
            let (first, rest) = key.split_once(' ').unwrap_or((key.as_str(), ""));
            given.extend(Name::read(first));
            family.extend(Name::read(rest));
        }
        Self { family, has_family, given, born: None, phone: None, email: None, postcode: None, nhs_number: None }
    }

    /// The same with a birthday and an NHS number.
    pub fn born(self, born: Option<NaiveDate>, nhs_number: Option<String>) -> Self {
        Self { born, nhs_number, ..self }
    }

    /// The same with contact details, in the form in which they are stored.
    pub fn reached(self, phone: Option<String>, email: Option<String>, postcode: Option<String>) -> Self {
        Self { phone, email, postcode, ..self }
    }

    fn swapped_with(&self, other: &Self) -> bool {
        let own = (self.given.first(), self.family.first().filter(|_| self.has_family));
        let theirs = (other.given.first(), other.family.first().filter(|_| other.has_family));
        let (Some(given), Some(family), Some(their_given), Some(their_family)) = (own.0, own.1, theirs.0, theirs.1)
        else {
            return false;
        };
        given.joined == their_family.joined && family.joined == their_given.joined
    }
}

/// How alike two records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// The points.
    pub score: i32,
    /// What speaks for one person.
    pub because: Vec<Sign>,
}

/// Compares two records. `None` if they are certainly of two people.
pub fn compare(one: &Traits, other: &Traits) -> Option<Likeness> {
    if matches!((&one.nhs_number, &other.nhs_number), (Some(one), Some(other)) if one != other) {
        return None;
    }
    let mut because = Vec::new();
    let (names, most) = names(one, other, &mut because);
    let birthday = birthday(one.born, other.born, &mut because);
    let score = names + birthday + contact(one, other, &mut because);
    Some(Likeness { score: score.min(most), because })
}

/// The points of the names, and the most points that two people with these names can have.
fn names(one: &Traits, other: &Traits, because: &mut Vec<Sign>) -> (i32, i32) {
    let family = best(&one.family, &other.family, fit_of_family);
    // A former family name counts if it fits. Otherwise somebody without a family name has none that could differ.
    let family = family.filter(|fit| *fit != Fit::Different || (one.has_family && other.has_family));
    let given = best(&one.given, &other.given, fit_of_given);
    let family_points = match family {
        Some(Fit::Equal) => 8,
        Some(Fit::Near) => 6,
        Some(Fit::Part) => 5,
        Some(Fit::Different) => -4,
        None => 0,
    };
    let given_points = match given {
        Some(Fit::Equal) => 6,
        Some(Fit::Near) => 4,
        Some(Fit::Part) => 3,
        Some(Fit::Different) => -6,
        None => 0,
    };
    let swapped = 6 + 4;
    if family_points + given_points < swapped && one.swapped_with(other) {
        because.push(Sign::NamesSwapped);
        return (swapped, i32::MAX);
    }
    because.extend(match family {
        Some(Fit::Equal) => Some(Sign::FamilyName),
        Some(Fit::Near) => Some(Sign::FamilyNameNear),
        Some(Fit::Part) => Some(Sign::FamilyNamePart),
        _ => None,
    });
    because.extend(match given {
        Some(Fit::Equal) => Some(Sign::GivenName),
        Some(Fit::Near) => Some(Sign::GivenNameNear),
        Some(Fit::Part) => Some(Sign::GivenNamePart),
        _ => None,
    });
    let others = given == Some(Fit::Different) || (family == Some(Fit::Different) && given != Some(Fit::Equal));
    (family_points + given_points, if others { OTHER_NAMES } else { i32::MAX })
}

/// How well the best pair of names fits. `None` if one of the two has no name.
fn best(one: &[Name], other: &[Name], fit: fn(&Name, &Name) -> Fit) -> Option<Fit> {
    one.iter().flat_map(|own| other.iter().map(move |theirs| fit(own, theirs))).max()
}

fn fit_of_family(one: &Name, other: &Name) -> Fit {
    let (a, b) = (one.joined.as_str(), other.joined.as_str());
    if a == b {
        Fit::Equal
    } else if are_like(a, b, 0.92) || is_one_edit(a, b, 4) || family_sound(a) == family_sound(b) {
        Fit::Near
    } else if one.shares_a_word(other) {
        Fit::Part
    } else {
        Fit::Different
    }
}

fn fit_of_given(one: &Name, other: &Name) -> Fit {
    let (a, b) = (one.first(), other.first());
    // One of them may leave out further names. With different further names they are rather two people.
    let leaves_out = one.words.len() == 1 || other.words.len() == 1;
    if one.joined == other.joined || (a == b && leaves_out) {
        return Fit::Equal;
    }
    let (short, long) = if letters(a) <= letters(b) { (a, b) } else { (b, a) };
    let begins = long.starts_with(short) && (letters(short) == 1 || letters(short) >= 3);
    let is_near = a == b || begins || are_like(a, b, 0.90) || is_one_edit(a, b, 3) || are_forms_of_one_name(a, b);
    if is_near {
        Fit::Near
    } else if one.shares_a_word(other) {
        Fit::Part
    } else {
        Fit::Different
    }
}

/// Whether a birthday is 1 January, which often stands for an unknown day.
pub fn may_stand_for_unknown(day: NaiveDate) -> bool {
    (day.month(), day.day()) == (1, 1)
}

fn birthday(one: Option<NaiveDate>, other: Option<NaiveDate>, because: &mut Vec<Sign>) -> i32 {
    let (Some(one), Some(other)) = (one, other) else { return 0 };
    if one == other {
        because.push(Sign::Birthday);
        return if may_stand_for_unknown(one) { 6 } else { 14 };
    }
    let swapped = one.year() == other.year() && (one.month(), one.day()) == (other.day(), other.month());
    let digits = |day: NaiveDate| day.format("%Y%m%d").to_string();
    let differ = digits(one).bytes().zip(digits(other).bytes()).filter(|(a, b)| a != b).count();
    if swapped || differ == 1 {
        because.push(Sign::BirthdayNear);
        return 4;
    }
    -6
}

/// The points of what a household shares.
fn contact(one: &Traits, other: &Traits, because: &mut Vec<Sign>) -> i32 {
    let mut sum = 0;
    let mut add = |points: i32, sign: Option<Sign>| {
        sum += points;
        because.extend(sign);
    };
    if let (Some(a), Some(b)) = (&one.phone, &other.phone) {
        if a == b { add(7, Some(Sign::Phone)) } else { add(-1, None) }
    }
    if let (Some(a), Some(b)) = (&one.email, &other.email)
        && a == b
    {
        add(7, Some(Sign::Email));
    }
    if let (Some(a), Some(b)) = (&one.postcode, &other.postcode) {
        let district = |postcode: &str| postcode.split(' ').next().map(str::to_owned);
        match a == b {
            true => add(6, Some(Sign::Postcode)),
            false if district(a) == district(b) => add(1, Some(Sign::PostcodeDistrict)),
            false => add(-1, None),
        }
    }
    sum.min(HOUSEHOLD)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
