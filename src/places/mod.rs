//! The local authorities of the United Kingdom, each with its official name and code, found by the names people type.
//!
//! An unknown name is refused, with the nearest names, in a body as well as in a filter. The schema's format
//! `local-authority` does this, and both are checked against the schema.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::text::fold::name_key;

/// The format, in the OpenAPI document, of a text that names a local authority.
pub const FORMAT: &str = "local-authority";
/// The longest name, in characters, that is looked up.
const LONGEST: usize = 80;
/// How many names that are spelt like it a refusal offers.
const OFFERED: usize = 3;
/// The most names that hold its words a refusal offers.
const MOST_OFFERED: usize = 8;

/// A local authority of the United Kingdom. It is read from any name in use, and written by its official name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAuthority {
    /// The GSS code, given by the Office for National Statistics.
    pub code: &'static str,
    /// The official name.
    pub name: &'static str,
}

/// The error for a name that no local authority has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAuthority {
    /// The official names nearest to it, the nearest first.
    pub nearest: Vec<&'static str>,
}

/// All local authorities, and an index by the keys of their names.
struct Register {
    all: Vec<LocalAuthority>,
    /// The words of each official name, in the same order.
    words: Vec<Vec<String>>,
    by_key: HashMap<String, LocalAuthority>,
    by_code: HashMap<&'static str, LocalAuthority>,
}

static REGISTER: LazyLock<Register> = LazyLock::new(Register::read);

impl Register {
    fn read() -> Self {
        let lines = include_str!("local_authorities.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
        let (mut all, mut by_key) = (Vec::new(), HashMap::new());
        for line in lines {
            let Some((authority, also)) = read_line(line) else { continue };
            all.push(authority);
            for name in std::iter::once(authority.name).chain(also.split('|')).filter(|name| !name.is_empty()) {
                by_key.insert(full_key(name), authority);
                by_key.entry(short_key(name)).or_insert(authority);
            }
        }
        // "London" alone isn't the City of London.
        by_key.remove("london");
        // A place stands for the only authority whose name holds it. "Newcastle" could be two, and "Lancashire" isn't a
        // place of "West Lancashire" but a county around it.
        let words = all.iter().map(|one: &LocalAuthority| short_words(one.name)).collect();
        let by_code = all.iter().map(|one| (one.code, *one)).collect();
        let mut register = Self { words, all, by_key, by_code };
        for place in register.all.iter().flat_map(|one| places_in(one.name)).collect::<Vec<_>>() {
            if let [only] = register.holding(&place).as_slice() {
                register.by_key.entry(place.concat()).or_insert(*only);
            }
        }
        register
    }

    /// The authorities whose official names hold these words, one after the other.
    fn holding(&self, words: &[String]) -> Vec<LocalAuthority> {
        let holds = |name: &[String]| name.windows(words.len().max(1)).any(|part| part == words);
        self.all.iter().zip(&self.words).filter(|(_, name)| holds(name)).map(|(one, _)| *one).collect()
    }
}

/// Reads a line of the file: code, name (in quotes if it holds a comma), other names.
fn read_line(line: &'static str) -> Option<(LocalAuthority, &'static str)> {
    let (code, rest) = line.split_once(',')?;
    let (name, also) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\",")?,
        None => rest.split_once(',')?,
    };
    Some((LocalAuthority { code, name }, also))
}

/// A name without case, accents, punctuation, blanks and "and". "Saint" becomes "St", and "Bristol, City of" becomes
/// "City of Bristol".
fn full_key(name: &str) -> String {
    key_words(name).concat()
}

/// A name's words without those that people leave out or add. "Bristol" stands for "Bristol, City of", and "Sefton" for
/// "Sefton Council".
fn short_words(name: &str) -> Vec<String> {
    const LEFT_OUT: &str = "the of city county borough metropolitan royal district council unitary authority mbc";
    let words = key_words(name);
    let words = words.strip_prefix(["london", "borough", "of"].map(String::from).as_slice()).unwrap_or(&words);
    words.iter().filter(|word| !LEFT_OUT.split(' ').any(|left_out| left_out == *word)).cloned().collect()
}

fn short_key(name: &str) -> String {
    short_words(name).concat()
}

/// The places that a name joins, each without what tells it apart from others of its name. "Bournemouth, Christchurch
/// and Poole" joins three, and "Stoke-on-Trent" is "Stoke".
fn places_in(name: &str) -> Vec<Vec<String>> {
    let name = name.replace(',', " and ");
    let key = name_key(&name);
    let words: Vec<&str> = key.split(' ').collect();
    let places = words.split(|word| ["and", "with"].contains(word)).map(|place| {
        let end = place.iter().position(|word| ["upon", "on", "under", "of"].contains(word));
        short_words(&place[..end.unwrap_or(place.len())].join(" "))
    });
    places.filter(|place| !place.is_empty()).collect()
}

fn key_words(name: &str) -> Vec<String> {
    let name = match name.rsplit_once(',') {
        Some((rest, first)) if first.trim_end().to_lowercase().ends_with(" of") => format!("{first} {rest}"),
        _ => name.to_owned(),
    };
    let plain = |word: String| if word == "saint" { "st".to_owned() } else { word };
    let key = name_key(&name);
    key.split(' ').filter(|word| !word.is_empty() && *word != "and").map(str::to_owned).map(plain).collect()
}

impl LocalAuthority {
    /// All local authorities, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTER.all.iter().copied()
    }

    /// The local authority with this GSS code. A code that was given up, because authorities were joined, is unknown.
    pub fn by_code(code: &str) -> Option<Self> {
        REGISTER.by_code.get(code).copied()
    }
}

impl FromStr for LocalAuthority {
    type Err = UnknownAuthority;

    fn from_str(name: &str) -> Result<Self, UnknownAuthority> {
        let name: String = name.chars().take(LONGEST + 1).collect();
        let known = &REGISTER.by_key;
        let found = known.get(&full_key(&name)).or_else(|| known.get(&short_key(&name)));
        found.copied().ok_or_else(|| UnknownAuthority { nearest: nearest(&name) })
    }
}

/// The official names nearest to a name: those that hold its words, or those that are spelt most like it.
fn nearest(name: &str) -> Vec<&'static str> {
    let holding = REGISTER.holding(&short_words(name));
    if !holding.is_empty() {
        return holding.into_iter().take(MOST_OFFERED).map(|authority| authority.name).collect();
    }
    let key = short_key(name);
    let likeness = |other: &LocalAuthority| strsim::jaro_winkler(&key, &short_key(other.name));
    let mut ranked: Vec<(f64, &'static str)> = LocalAuthority::all().map(|one| (likeness(&one), one.name)).collect();
    ranked.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
    ranked.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

impl fmt::Display for LocalAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for UnknownAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Must be a local authority of the United Kingdom. The nearest names: {}.", self.nearest.join("; "))
    }
}

impl Serialize for LocalAuthority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for LocalAuthority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for LocalAuthority {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .min_length(Some(1))
            .max_length(Some(LONGEST))
            .description(Some("A local authority of the United Kingdom, by its official name or one that people use."))
            .examples(["Liverpool"]);
        RefOr::T(Schema::Object(text.build()))
    }
}

impl ToSchema for LocalAuthority {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(name: &str) -> Option<&'static str> {
        name.parse::<LocalAuthority>().ok().map(|authority| authority.code)
    }

    #[test]
    fn there_are_361_and_each_is_found_by_its_own_names_alone() {
        let mut owners: HashMap<String, &str> = HashMap::new();
        for line in include_str!("local_authorities.csv").lines().filter(|line| !line.starts_with('#')).skip(1) {
            let (authority, also) = read_line(line).expect(line);
            for name in std::iter::once(authority.name).chain(also.split('|')).filter(|name| !name.is_empty()) {
                assert_eq!(code(name), Some(authority.code), "{name}");
                assert_eq!(code(&name.to_uppercase()), Some(authority.code), "{name}");
                for key in [full_key(name), short_key(name)] {
                    assert!(key.chars().count() >= 3, "{name}");
                    assert_eq!(*owners.entry(key).or_insert(authority.code), authority.code, "{name}");
                }
            }
        }
        assert_eq!(LocalAuthority::all().count(), 361);
        assert!(LocalAuthority::all().all(|one| LocalAuthority::by_code(one.code) == Some(one)));
        assert_eq!(LocalAuthority::by_code("E07000026"), None, "Allerdale is part of Cumberland now");
    }

    #[test]
    fn names_are_taken_as_people_type_them() {
        for (typed, found) in [
            ("liverpool", "E08000012"),
            (" Liverpool City Council ", "E08000012"),
            ("St. Helens", "E08000013"),
            ("Saint Helens", "E08000013"),
            ("ST HELENS", "E08000013"),
            ("Bristol", "E06000023"),
            ("City of Bristol", "E06000023"),
            ("Hull", "E06000010"),
            ("kingston upon hull", "E06000010"),
            ("Westmorland & Furness", "E06000064"),
            ("Durham", "E06000047"),
            ("Herefordshire", "E06000019"),
            ("Kings Lynn & West Norfolk", "E07000146"),
            ("King\u{2019}s Lynn and West Norfolk", "E07000146"),
            ("Stoke on Trent", "E06000021"),
            ("The Wirral", "E08000015"),
            ("Sefton MBC", "E08000014"),
            ("London Borough of Camden", "E09000007"),
            ("City of London", "E09000001"),
            ("London, City of", "E09000001"),
            ("Edinburgh", "S12000036"),
            ("Western Isles", "S12000013"),
            ("Caerdydd", "W06000015"),
            ("Ynys Mon", "W06000001"),
            ("Anglesey", "W06000001"),
            ("Armagh, Banbridge & Craigavon", "N09000002"),
            ("Bournemouth", "E06000058"),
            ("Poole", "E06000058"),
            ("Bath", "E06000022"),
            ("Telford", "E06000020"),
            ("Brighton", "E06000043"),
            ("Blackburn", "E06000008"),
            ("Stockton", "E06000004"),
            ("East Riding", "E06000011"),
            ("Windsor", "E06000040"),
            ("RBKC", "E09000020"),
            ("Londonderry", "N09000005"),
            ("Derry", "N09000005"),
            ("Port Talbot", "W06000012"),
        ] {
            assert_eq!(code(typed), Some(found), "{typed}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_nearest() {
        for unknown in ["", "Atlantis", "Merseyside", "Council", "of", "Liverpoool"] {
            let refused = unknown.parse::<LocalAuthority>().unwrap_err();
            assert_eq!(refused.nearest.len(), OFFERED, "{unknown}");
        }
        let nearest = |name: &str| name.parse::<LocalAuthority>().unwrap_err().nearest;
        assert_eq!(nearest("Liverpoool")[0], "Liverpool");
        // Names that could be several, or that are a county around a district.
        for (name, held_by) in [
            ("Newcastle", vec!["Newcastle-under-Lyme", "Newcastle upon Tyne"]),
            ("Kingston", vec!["Kingston upon Hull, City of", "Kingston upon Thames"]),
            ("Antrim", vec!["Antrim and Newtownabbey", "Mid and East Antrim"]),
            ("Lancashire", vec!["West Lancashire"]),
            ("Surrey", vec!["Surrey Heath"]),
            ("Wells", vec!["Tunbridge Wells"]),
            ("London", vec!["City of London"]),
        ] {
            assert_eq!(nearest(name), held_by, "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_found_again_by_its_official_name(typed in "\\PC{0,100}") {
            if let Ok(found) = typed.parse::<LocalAuthority>() {
                prop_assert_eq!(found.name.parse::<LocalAuthority>().unwrap(), found);
            }
        }
    }
}
