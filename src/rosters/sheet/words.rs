//! Words and numbers in the cells of a sheet: choices by their label, lengths of time, prices, ages, languages, short names.

use crate::text::fold::name_key;

/// What people write for a choice beside its name, by column. `yes` and `no` answer the column's own question.
const CHOICES: [(&str, &[(&str, &str)]); 5] = [
    (
        "delivery",
        &[
            ("face to face", "in_person"),
            ("f2f", "in_person"),
            ("at the venue", "in_person"),
            ("zoom", "online"),
            ("on zoom", "online"),
            ("teams", "online"),
            ("virtual", "online"),
            ("remote", "online"),
            ("both", "hybrid"),
            ("blended", "hybrid"),
            ("in person and online", "hybrid"),
        ],
    ),
    (
        "booking_policy",
        &[
            ("yes", "bookable"),
            ("book", "bookable"),
            ("booking", "bookable"),
            ("booking required", "bookable"),
            ("required", "bookable"),
            ("no", "drop_in"),
            ("no booking", "drop_in"),
            ("not required", "drop_in"),
            ("dropin", "drop_in"),
            ("just turn up", "drop_in"),
            ("turn up", "drop_in"),
            ("referral", "referral_only"),
            ("by referral", "referral_only"),
        ],
    ),
    ("publication", &[("yes", "published"), ("public", "published"), ("no", "draft"), ("hidden", "unlisted")]),
    ("pillar", &[("social prescription", "social_prescribing"), ("learn", "learning")]),
    ("type", &[("group", "series"), ("one off", "session"), ("single", "session")]),
];

/// The name of a choice, for a cell that has its name, its label (`In person`) or another word for it.
pub fn choice<'a>(column: &str, cell: &str, names: &'a [String]) -> Option<&'a str> {
    let key = name_key(cell);
    let other = CHOICES.iter().find(|(known, _)| *known == column).map_or(&[][..], |(_, words)| words);
    let other = other.iter().find(|(word, _)| *word == key).map(|(_, name)| *name);
    let known = |name: &&String| Some(name.as_str()) == other || name.replace('_', " ") == key;
    names.iter().find(known).map(String::as_str)
}

/// Whether a cell says yes or no.
pub fn yes_or_no(cell: &str) -> Option<bool> {
    match name_key(cell).as_str() {
        "yes" | "y" | "true" => Some(true),
        "no" | "n" | "false" => Some(false),
        _ => None,
    }
}

/// A short name such as `step_free` for a cell such as `Step-free`.
pub fn short_name(cell: &str) -> String {
    let key = name_key(cell).replace(' ', "_");
    if key.is_empty() { cell.to_owned() } else { key }
}

/// The minutes that a cell such as `90 mins`, `1h30` or `1 hour` says.
///
/// # Errors
/// A sentence with examples.
pub fn read_minutes(cell: &str) -> Result<i64, String> {
    const EXAMPLES: &str = "Must be a number of minutes: write 90, 90 mins, 1h30 or 1.5 hours.";
    let text = cell.to_lowercase().replace('½', ".5").replace("half an hour", "30m").replace("an hour", "1h");
    if cell.len() > 40 {
        return Err(EXAMPLES.to_owned());
    }
    if let [hours, minutes] | [hours, minutes, "00"] = text.split(':').collect::<Vec<_>>().as_slice() {
        let parts = (hours.trim().parse::<i64>(), minutes.trim().parse::<i64>());
        return match parts {
            (Ok(hours @ 0..=168), Ok(minutes @ 0..=59)) => Ok(hours * 60 + minutes),
            _ => Err(EXAMPLES.to_owned()),
        };
    }
    parts_of(&text).and_then(|parts| minutes_of(&parts)).ok_or_else(|| EXAMPLES.to_owned())
}

/// The price in pence that a cell such as `£2.50`, `2`, `50p` or `free` says.
///
/// # Errors
/// A sentence with examples.
pub fn read_price(cell: &str) -> Result<i64, String> {
    const EXAMPLES: &str =
        "Must be one price: write £2.50, 50p or free. What else there is to say goes into price_note.";
    let wrong = || EXAMPLES.to_owned();
    if cell.len() > 40 {
        return Err(wrong());
    }
    if matches!(name_key(cell).as_str(), "free" | "free of charge" | "no charge" | "nothing" | "nil") {
        return Ok(0);
    }
    let text = cell.trim().to_lowercase();
    let text = [" per session", " a session", " each"].iter().fold(text.as_str(), |text, end| {
        // What is said of a session is said of each.
        text.strip_suffix(end).unwrap_or(text).trim_end()
    });
    let is_digits = |text: &str| !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(pence) = text.strip_suffix("pence").or_else(|| text.strip_suffix('p')).map(str::trim_end) {
        return if is_digits(pence) { pence.parse().map_err(|_| wrong()) } else { Err(wrong()) };
    }
    let pounds = text.strip_prefix('£').or_else(|| text.strip_prefix("gbp")).unwrap_or(text).trim_start();
    let (pounds, pence) = pounds.split_once('.').unwrap_or((pounds, "0"));
    if !is_digits(pounds) || !is_digits(pence) || pence.len() > 2 {
        return Err(wrong());
    }
    // A spreadsheet writes £2.50 as 2.5.
    let tenfold = if pence.len() == 1 { 10 } else { 1 };
    match (pounds.parse::<i64>(), pence.parse::<i64>()) {
        (Ok(pounds), Ok(pence)) => Ok(pounds * 100 + pence * tenfold),
        _ => Err(wrong()),
    }
}

/// The years that a cell such as `16`, `16+` or `16 years` says.
pub fn read_age(cell: &str) -> Option<i64> {
    let text = cell.trim().to_lowercase();
    let ends = ["+", " and over", " and above", " years", " years old"];
    let years = ends.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(&text);
    years.trim_end().parse().ok()
}

/// The languages that are named most often, by name and tag.
const LANGUAGES: [(&str, &str); 26] = [
    ("albanian", "sq"),
    ("arabic", "ar"),
    ("bengali", "bn"),
    ("british sign language", "bfi"),
    ("bsl", "bfi"),
    ("cantonese", "yue"),
    ("chinese", "zh"),
    ("english", "en"),
    ("farsi", "fa"),
    ("french", "fr"),
    ("german", "de"),
    ("gujarati", "gu"),
    ("italian", "it"),
    ("kurdish", "ku"),
    ("mandarin", "zh"),
    ("pashto", "ps"),
    ("persian", "fa"),
    ("polish", "pl"),
    ("portuguese", "pt"),
    ("punjabi", "pa"),
    ("romanian", "ro"),
    ("somali", "so"),
    ("spanish", "es"),
    ("ukrainian", "uk"),
    ("urdu", "ur"),
    ("welsh", "cy"),
];

/// The tag of a language for a cell that has its name or its tag.
pub fn language(cell: &str) -> &str {
    let key = name_key(cell);
    LANGUAGES.iter().find(|(name, _)| *name == key).map_or(cell, |(_, tag)| tag)
}

/// The numbers of a text, each with the word behind it.
fn parts_of(text: &str) -> Option<Vec<(f64, String)>> {
    let mut parts: Vec<(f64, String)> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        parts.push((number, rest[..letters].to_owned()));
        rest = rest[letters..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '&'));
        rest = rest.strip_prefix("and ").unwrap_or(rest).trim_start();
    }
    Some(parts)
}

fn minutes_of(parts: &[(f64, String)]) -> Option<i64> {
    let is_hours = |unit: &str| matches!(unit, "h" | "hr" | "hrs" | "hour" | "hours");
    let is_minutes = |unit: &str| matches!(unit, "m" | "min" | "mins" | "minute" | "minutes");
    let minutes = match parts {
        [(minutes, unit)] if unit.is_empty() || is_minutes(unit) => *minutes,
        [(hours, unit)] if is_hours(unit) => hours * 60.0,
        [(hours, unit), (minutes, last)] if is_hours(unit) && (last.is_empty() || is_minutes(last)) => {
            hours * 60.0 + minutes
        }
        _ => return None,
    };
    // A length of a fraction of a minute, or of more than a year, is none.
    (minutes.fract() == 0.0 && minutes < 1_000_000.0).then_some(minutes as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (cell, minutes) in [
            ("90", 90),
            ("90.0", 90),
            ("90 mins", 90),
            ("90min.", 90),
            ("90 Minutes", 90),
            ("1h30", 90),
            ("1h 30m", 90),
            ("1 hr 30 mins", 90),
            ("1 hour and 30 minutes", 90),
            ("1 hour", 60),
            ("2 hours", 120),
            ("1.5 hours", 90),
            ("1½ hours", 90),
            ("1:30", 90),
            ("01:30:00", 90),
            ("an hour", 60),
            ("half an hour", 30),
        ] {
            assert_eq!(read_minutes(cell), Ok(minutes), "{cell}");
        }
        for cell in ["ninety", "1.5", "1h30s", "90 people", "1:75", "", "-90", "9e9", "1h30m15", &"9".repeat(60)] {
            assert!(read_minutes(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn prices_ages_and_languages_are_read_as_people_write_them() {
        for (cell, pence) in [
            ("£2.50", 250),
            ("2.50", 250),
            ("2.5", 250),
            ("£2", 200),
            ("£ 2", 200),
            ("GBP 2", 200),
            ("50p", 50),
            ("50 pence", 50),
            ("£2 per session", 200),
            ("Free!", 0),
            ("no charge", 0),
            ("0", 0),
        ] {
            assert_eq!(read_price(cell), Ok(pence), "{cell}");
        }
        for cell in ["£2 or £1", "2.505", "-2", "p", "£", "1e3", "$2", "", &"9".repeat(60)] {
            assert!(read_price(cell).is_err(), "{cell}");
        }
        assert_eq!(["16", "16+", "18 years", "old"].map(read_age), [Some(16), Some(16), Some(18), None]);
        assert_eq!(["Polish", "BSL", "pl", "Klingon"].map(language), ["pl", "bfi", "pl", "Klingon"]);
    }

    #[test]
    fn choices_are_read_by_their_labels() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let deliveries = names(&["in_person", "online", "hybrid"]);
        for (cell, name) in [
            ("In person", Some("in_person")),
            ("in-person", Some("in_person")),
            ("Face-to-face", Some("in_person")),
            ("Zoom", Some("online")),
            ("by post", None),
        ] {
            assert_eq!(choice("delivery", cell, &deliveries), name, "{cell}");
        }
        assert_eq!(choice("booking_policy", "No", &names(&["drop_in", "bookable"])), Some("drop_in"));
        assert_eq!(choice("publication", "YES", &names(&["draft", "published"])), Some("published"));
        assert_eq!((yes_or_no("Yes"), yes_or_no("n"), yes_or_no("perhaps")), (Some(true), Some(false), None));
        assert_eq!((short_name("Step-free").as_str(), short_name("|").as_str()), ("step_free", "|"));
    }
}
