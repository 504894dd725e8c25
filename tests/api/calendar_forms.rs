//! Forms that programs with half of RFC 5545 read right: one normal form of a rule, no RDATE, a time zone with one
//! observance for each clock, and no calendar without a component.

use serde_json::json;

use crate::calendars::{Block, calendar_of, events, lines, make_series, session_body, sessions_of};
use crate::support::{App, id, partner_row, venue};

#[test]
fn a_rule_is_written_with_its_frequency_first_however_it_was_stated() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    for (stated, written) in [
        ("COUNT=3;INTERVAL=2;FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=3;INTERVAL=2"),
        ("wkst=su;byday=tu;freq=weekly;count=3", "FREQ=WEEKLY;COUNT=3;BYDAY=TU;WKST=SU"),
        ("BYSETPOS=1;BYDAY=TU;INTERVAL=1;FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=1;BYDAY=TU;BYSETPOS=1"),
        ("BYDAY=TU;UNTIL=20270119T130000;FREQ=WEEKLY", "FREQ=WEEKLY;UNTIL=20270119T130000Z;BYDAY=TU"),
    ] {
        let series = make_series(&admin, id(&place), json!({ "recurrence": stated }));
        let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
        assert_eq!(found[0].value("RRULE"), written, "{stated}");
    }
}

#[test]
fn an_additional_time_is_an_event_for_itself_and_only_what_the_rule_gives_is_excluded_from_it() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({
        "local_start": "2027-03-02T10:00:00", "recurrence": "FREQ=WEEKLY;UNTIL=20270330T100000",
        // The rule's; an additional one; behind the rule's last one.
        "excluded": ["2027-03-09T10:00:00", "2027-03-11T14:00:00", "2027-03-30T10:00:00"],
        // Not excluded; excluded; the rule's too; long after the rule.
        "additional": ["2027-03-04T14:00:00", "2027-03-11T14:00:00", "2027-03-16T10:00:00", "2027-12-24T09:00:00"]
    });
    let series = make_series(&admin, id(&place), change);
    let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
    let told: Vec<_> = found.iter().map(|event| (event.value("DTSTART"), event.value("RRULE"))).collect();
    let expected =
        [("20270302T100000", "FREQ=WEEKLY;UNTIL=20270323T100000Z"), ("20270304T140000", ""), ("20271224T090000", "")];
    assert_eq!(told, expected, "{found:#?}");
    assert!(found.iter().all(|event| event.values("RDATE").is_empty()), "{found:#?}");
    assert_eq!(found[0].values("EXDATE"), ["20270309T100000"]);
    let ids = sessions_of(&app, &series);
    let uid = |index: usize| format!("{}@life-rooms.invalid", ids[index].0);
    assert_eq!((found[1].value("UID"), found[2].value("UID")), (uid(1).as_str(), uid(4).as_str()));
    assert!(found[1..].iter().all(|event| event.value("RECURRENCE-ID").is_empty()), "{found:#?}");
    assert!(found[1..].iter().all(|event| event.value("SUMMARY") == "Reading in the park"), "{found:#?}");
}

#[test]
fn a_rule_without_end_keeps_what_is_excluded_years_ahead_and_promises_what_is_yet_to_be_made() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({
        "local_start": "2027-01-05T10:00:00", "recurrence": "FREQ=WEEKLY",
        "excluded": ["2035-01-02T10:00:00", "2035-01-03T10:00:00"], "additional": ["2027-01-07T09:00:00"]
    });
    let series = make_series(&admin, id(&place), change);
    let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
    assert_eq!(found[0].value("RRULE"), "FREQ=WEEKLY");
    assert_eq!(found[0].values("EXDATE"), ["20350102T100000"]);
    let starts: Vec<_> = found[1..].iter().map(|event| event.value("DTSTART")).collect();
    assert_eq!(starts, ["20270107T090000"]);
}

#[test]
fn a_calendar_of_nothing_has_a_component() {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let reader = partner_row(&app, "the-reader");
    for path in [calendar_of("venues", id(&place)), calendar_of("partners", &reader)] {
        let answer = app.anonymous().get(&path);
        assert_eq!(events(&answer).len(), 0);
        let all = lines(&answer.text);
        assert!(all.iter().any(|line| line.name == "BEGIN" && line.value == "VTIMEZONE"), "{}", answer.text);
        assert!(all.iter().any(|line| line.name == "TZID" && line.value == "UTC"), "{}", answer.text);
    }
}

/// The observances of the time zone in a calendar: STANDARD or DAYLIGHT, and its lines.
fn observances(text: &str) -> Vec<(String, Block)> {
    let mut found: Vec<(String, Block)> = Vec::new();
    for line in lines(text) {
        match (line.name.as_str(), line.value.as_str()) {
            ("BEGIN", kind @ ("STANDARD" | "DAYLIGHT")) => found.push((kind.to_owned(), Block(Vec::new()))),
            ("END", "VTIMEZONE") => return found,
            _ => found.iter_mut().rev().take(1).for_each(|(_, block)| block.0.push(line.clone())),
        }
    }
    found
}

#[test]
fn a_zone_with_two_clocks_has_one_standard_and_one_daylight_and_daylight_is_the_one_ahead() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let zones = [
        ("Europe/London", "+0000", "+0100"),
        ("Europe/Dublin", "+0000", "+0100"),
        ("America/New_York", "-0500", "-0400"),
        ("Australia/Lord_Howe", "+1030", "+1100"),
        ("Africa/Casablanca", "+0000", "+0100"),
    ];
    for (zone, standard, daylight) in zones {
        let one = json!({ "time_zone": zone, "local_start": "2027-07-06T13:00:00" });
        let one = admin.post("/v1/sessions", &session_body(id(&place), one)).expect(201);
        let mut paths = vec![calendar_of("sessions", id(&one))];
        for rule in ["FREQ=WEEKLY;COUNT=60", "FREQ=WEEKLY"] {
            let series = make_series(&admin, id(&place), json!({ "time_zone": zone, "recurrence": rule }));
            paths.push(calendar_of("session-series", id(&series)));
        }
        for path in paths {
            let text = app.anonymous().get(&path).text;
            let mut found = observances(&text);
            found.sort_by(|(one, _), (other, _)| other.cmp(one));
            let kinds: Vec<_> = found.iter().map(|(kind, block)| (kind.as_str(), block.value("TZOFFSETTO"))).collect();
            assert_eq!(kinds, [("STANDARD", standard), ("DAYLIGHT", daylight)], "{zone}: {text}");
            // Both have begun before the first event, so that it is told by either.
            assert!(found.iter().all(|(_, block)| block.value("DTSTART") < "20270101"), "{zone}: {text}");
        }
    }
}
