//! A document as a page to print: plain, on A4, with nothing from elsewhere.
//!
//! The page is made of the JSON, whatever stands in it. So a section or a field that is new needs nothing here. Ids are left
//! out, because they tell a person nothing.

use askama::Template;
use chrono::{DateTime, NaiveDate};
use chrono_tz::Europe::London;

use super::node::Node;
use super::words::{self, ALL};
use crate::error::{Error, Result};

#[derive(Template)]
#[template(path = "export.html")]
struct Page<'a> {
    title: &'a str,
    text: Vec<String>,
    made: String,
    sections: Vec<Section>,
}

/// A section of the page.
struct Section {
    key: &'static str,
    title: &'static str,
    about: String,
    /// For a section that is one table: its columns, and a line for each item.
    columns: Vec<String>,
    lines: Vec<Vec<String>>,
    /// For any other section: the fields of each item.
    items: Vec<Vec<Field>>,
}

/// What a field is called, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    label: String,
    value: String,
}

/// The page of a document.
///
/// # Errors
/// 500 if it is no document.
pub fn page(document: &[u8]) -> Result<String> {
    let document: Node = serde_json::from_slice(document).map_err(Error::internal)?;
    let about = document.get("about");
    let of_about = |name: &str| about.and_then(|about| about.get(name));
    let text = of_about("text").map(Node::items).unwrap_or_default();
    let sections = ALL.iter().filter_map(|section| {
        let node = document.get(section.key).filter(|node| **node != Node::Null)?;
        Some(show(section, node))
    });
    let page = Page {
        title: words::TITLE,
        text: text.iter().map(|sentence| sentence.text().to_owned()).collect(),
        made: of_about("made_at").and_then(|at| instant(at.text())).unwrap_or_default(),
        sections: sections.collect(),
    };
    page.render().map_err(Error::internal)
}

fn show(section: &words::Section, node: &Node) -> Section {
    let items = node.get("items").map(Node::items).unwrap_or_default();
    let mut items: Vec<Vec<Field>> = items.iter().map(fields).collect();
    let (mut columns, mut lines) = (Vec::new(), Vec::new());
    if section.is_table {
        (columns, lines) = table(&items);
        items.clear();
    }
    let about = node.get("about").map(Node::text).unwrap_or_default().to_owned();
    Section { key: section.key, title: section.title, about, columns, lines, items }
}

/// Items as lines below the names of their fields.
fn table(items: &[Vec<Field>]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut columns: Vec<String> = Vec::new();
    for field in items.iter().flatten() {
        if !columns.contains(&field.label) {
            columns.push(field.label.clone());
        }
    }
    let cell = |item: &[Field], column: &String| {
        let field = item.iter().find(|field| field.label == *column);
        field.map(|field| field.value.clone()).unwrap_or_default()
    };
    let lines = items.iter().map(|item| columns.iter().map(|column| cell(item, column)).collect()).collect();
    (columns, lines)
}

/// The fields of an item, with those of what stands inside it.
fn fields(item: &Node) -> Vec<Field> {
    let mut found = Vec::new();
    add(&mut found, "", "", item);
    found
}

/// Adds what stands in a member of this name. `before` names what it is inside of.
fn add(found: &mut Vec<Field>, before: &str, name: &str, node: &Node) {
    match node {
        Node::Map(members) if is_person(members) => put(found, before, name, person(members)),
        Node::Map(members) => {
            let inside = if name.is_empty() { before.to_owned() } else { joined(before, &label(name)) };
            for (name, value) in members.iter().filter(|(name, _)| !is_id(name)) {
                add(found, &inside, name, value);
            }
        }
        Node::List(items) if items.iter().any(|item| matches!(item, Node::Map(_))) => {
            for (number, item) in (1..).zip(items) {
                let inside = joined(before, &format!("{} {number}", label(name)));
                add(found, &inside, "", item);
            }
        }
        Node::List(items) => {
            let values: Vec<String> = items.iter().filter_map(|item| said(name, item)).collect();
            if !values.is_empty() {
                put(found, before, name, values.join("; "));
            }
        }
        value => {
            if let Some(value) = said(name, value) {
                put(found, before, name, value);
            }
        }
    }
}

fn put(found: &mut Vec<Field>, before: &str, name: &str, value: String) {
    found.push(Field { label: joined(before, &label(name)), value });
}

/// The label of something inside of something.
fn joined(before: &str, label: &str) -> String {
    if before.is_empty() { label.to_owned() } else { format!("{before}: {label}") }
}

/// Whether a member is an id or a number for programs.
fn is_id(name: &str) -> bool {
    name == "id" || name == "version" || name.ends_with("_id")
}

/// Whether an object says who did something.
fn is_person(members: &[(String, Node)]) -> bool {
    members.iter().map(|(name, _)| name.as_str()).eq(["name", "role", "organisation"])
}

/// Name, role and organisation, as far as they are known and the name doesn't say them.
fn person(members: &[(String, Node)]) -> String {
    let texts = members.iter().map(|(name, value)| (name, value.text()));
    let is_member = members.iter().any(|(name, value)| name == "role" && value.text() == "member");
    let known = texts.filter(|(name, text)| !(text.is_empty() || is_member && name.as_str() == "role"));
    let parts: Vec<String> =
        known.map(|(name, text)| if name == "role" { spaced(text) } else { text.to_owned() }).collect();
    parts.join(", ")
}

/// A value in words; `None` if there is none.
fn said(name: &str, value: &Node) -> Option<String> {
    match value {
        Node::Bool(value) => Some(if *value { "yes" } else { "no" }.to_owned()),
        Node::Number(value) => Some(value.to_string()),
        Node::Text(text) => Some(in_words(name, text)),
        _ => None,
    }
}

/// The members whose values are names for programs, such as `share_with_partner`.
const NAMES: [&str; 30] = [
    "action",
    "activities_reduced",
    "answered",
    "authority",
    "category",
    "channel",
    "code",
    "decision",
    "delivery",
    "domain",
    "ended_why",
    "ethnicity",
    "fields",
    "gender_same_as_registered",
    "kind",
    "long_lasting_condition",
    "main_language",
    "message_details",
    "need",
    "origin",
    "purpose",
    "religion",
    "role",
    "roles",
    "sex",
    "sexual_orientation",
    "status",
    "unpaid_carer",
    "what",
    "why",
];

/// A text as people read it: days and times as they say them, and names for programs with spaces. What somebody wrote stays
/// as it is.
fn in_words(name: &str, text: &str) -> String {
    let day = || Some(date(text.parse().ok()?));
    let read = match name {
        "date_of_birth" => day(),
        "at" => instant(text),
        _ if name.ends_with("_on") => day(),
        _ if name.ends_with("_at") => instant(text),
        _ if NAMES.contains(&name) && is_name(text) => Some(spaced(text)),
        _ => None,
    };
    read.unwrap_or_else(|| text.to_owned())
}

/// Whether a text is a name for programs, and no sentence.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// 23 November 2026.
fn date(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

/// 23 November 2026, 9:05 in London.
fn instant(text: &str) -> Option<String> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&London);
    Some(at.format("%-d %B %Y, %-H:%M").to_string())
}

/// What a member is called.
fn label(name: &str) -> String {
    let known = match name {
        "at" => "When",
        "created_at" => "Written down",
        "created_by" => "Written down by",
        "updated_at" => "Last changed",
        "nhs_number" => "NHS number",
        "nhs_code" => "NHS code of the ethnic group",
        "gp_practice_code" => "GP practice",
        "date_of_birth" => "Date of birth",
        "line_1" => "Address",
        "line_2" => "Address, second line",
        "starts_on" => "From",
        "ends_on" => "Until",
        "due_on" => "Answer due",
        "review_on" => "To be looked at again",
        "asked_on" => "Asked",
        "raised_on" => "Raised",
        "sent_at" => "Sent",
        "text" => "What we said",
        "own" => "By yourself",
        "fields" => "Which part",
        "action" => "What was done",
        "purpose" => "What for",
        "evidence" => "How we know",
        "how" => "How you asked",
        "say_who" => "We may say who is calling",
        "voicemail" => "We may leave a message",
        "letters" => "We may send letters",
        "sms" => "Text message",
        "share" => "Partners see it",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words = spaced(name.trim_end_matches("_at").trim_end_matches("_on"));
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_of(json: &str) -> Vec<(String, String)> {
        let fields = fields(&serde_json::from_str(json).unwrap());
        fields.into_iter().map(|field| (field.label, field.value)).collect()
    }

    fn field(label: &str, value: &str) -> (String, String) {
        (label.to_owned(), value.to_owned())
    }

    #[test]
    fn an_item_is_said_in_words_without_ids_and_with_what_people_wrote_as_it_is() {
        let item = r#"{"id":"0199","session_id":"0199","purpose":"share_with_partner","evidence":"my_own_words","none":false,
            "starts_on":"2026-11-23","created_at":"2027-07-01T08:05:00Z","date_of_birth":"1961-04-02","town":null,"seats":2,
            "recorded_by":{"name":"Dana P.","role":"advisor","organisation":"Life Rooms"},
            "booked_by":{"name":"a carer","role":"member","organisation":null},
            "contact_preferences":{"email":true},"former_names":["Ann One","Ann Two"],"roles":[],
            "needs":[{"domain":"mental_wellbeing","note":"2026-11-23"},{"domain":"debt","note":null}]}"#;
        assert_eq!(
            fields_of(item),
            [
                field("What for", "share with partner"),
                field("How we know", "my_own_words"),
                field("None", "no"),
                field("From", "23 November 2026"),
                field("Written down", "1 July 2027, 9:05"),
                field("Date of birth", "2 April 1961"),
                field("Seats", "2"),
                field("Recorded by", "Dana P., advisor, Life Rooms"),
                field("Booked by", "a carer"),
                field("Contact preferences: Email", "yes"),
                field("Former names", "Ann One; Ann Two"),
                field("Needs 1: Domain", "mental wellbeing"),
                field("Needs 1: Note", "2026-11-23"),
                field("Needs 2: Domain", "debt"),
            ]
        );
    }

    #[test]
    fn a_table_has_a_column_for_each_field_that_any_item_has() {
        let one = vec![Field { label: "A".into(), value: "1".into() }];
        let other =
            vec![Field { label: "B".into(), value: "2".into() }, Field { label: "A".into(), value: "3".into() }];
        let (columns, lines) = table(&[one, other]);
        assert_eq!(columns, ["A", "B"]);
        assert_eq!(lines, [["1", ""], ["3", "2"]]);
    }

    #[test]
    fn what_people_wrote_is_never_markup() {
        let document = r#"{"about":{"text":["<i>x</i>"],"made_at":"2026-11-23T09:00:00Z"},
            "record":{"about":"a","items":[{"given_name":"<script>alert(1)</script>","<b>":"\"'&"}]},
            "walk_ins":{"about":"w","items":[{"title":"</td><img src=x>"}]},"safeguarding":null}"#;
        let page = page(document.as_bytes()).unwrap();
        for markup in ["<script", "<i>", "<b>", "<img", "</td><img"] {
            assert!(!page.contains(markup), "{markup}: {page}");
        }
        assert!(page.contains("alert(1)") && page.contains("23 November 2026, 9:00"), "{page}");
        assert!(!page.contains("Notes that keep somebody safe"), "{page}");
    }
}
