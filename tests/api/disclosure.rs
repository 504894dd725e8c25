//! What an analyst is told: rounded counts in fixed shapes, from which no small count can be worked out.

use std::collections::BTreeSet;
use std::env;

use life_rooms::config::Config;
use life_rooms::db::Id;
use serde_json::{Value, json};

use crate::reports::{Seed, day};
use crate::support::attacker::Puzzle;
use crate::support::{App, Client};

#[test]
fn small_counts_are_null_zero_is_shown_and_all_else_is_rounded_by_itself() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    for (slug, how_many) in [("a", 12), ("b", 3), ("c", 18)] {
        let venue = seed.venue(slug, "Liverpool");
        let site = seed.site(slug, &[(venue, "2020-01-01", None)]);
        seed.prescriptions(how_many, site, "2024-01-15");
    }
    let analyst = app.analyst();
    let report = analyst.get("/v1/reports/prescriptions?period=2024-01&group_by=site").expect(200);
    assert_eq!(report["suppression"]["applied"], true);
    assert_eq!(report["suppression"]["largest_suppressed"], 7);
    assert_eq!(report["suppression"]["rounded_to"], 5);
    assert_eq!(report["days"], json!({ "from": "2024-01-01", "to": "2024-01-31" }));
    assert_eq!(report["totals"], json!({ "prescriptions": 35, "suppressed": [] }));
    let counts: Vec<&Value> = report["rows"].as_array().unwrap().iter().map(|row| &row["prescriptions"]).collect();
    assert_eq!(counts, [&json!(10), &json!(null), &json!(20)]);
    assert_eq!(report["rows"][1]["suppressed"], json!(["prescriptions"]));
    let none = analyst.get("/v1/reports/prescriptions?period=2024-02").expect(200);
    assert_eq!(none["totals"], json!({ "prescriptions": 0, "suppressed": [] }));
}

#[test]
fn each_kind_of_count_is_hidden_for_itself_alone() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let library = seed.venue("library", "Liverpool");
    let members: Vec<Id> = (0..9).map(|_| seed.member()).collect();
    let session = seed.session("2024-01-10", Some(library), "learning", "in_person");
    seed.attended(session, &members);
    seed.heads(session, 7, 0, 0);
    let report = app.analyst().get("/v1/reports/attendance?period=2024-01").expect(200);
    assert_eq!(
        report["totals"],
        json!({ "distinct_members": 10, "attendances": 10, "headcount": null, "suppressed": ["headcount"] })
    );
}

#[test]
fn a_difference_of_two_answers_no_longer_gives_a_small_count_away() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    for (slug, authority, how_many) in [("l", "Liverpool", 12), ("s", "Sefton", 5)] {
        let venue = seed.venue(slug, authority);
        let site = seed.site(slug, &[(venue, "2020-01-01", None)]);
        seed.prescriptions(how_many, site, "2024-01-15");
    }
    let analyst = app.analyst();
    let count = |query: &str| analyst.get(&format!("/v1/reports/prescriptions?{query}")).expect(200)["totals"].clone();
    assert_eq!(count("local_authority=Liverpool")["prescriptions"], 10);
    assert_eq!(count("area=liverpool-and-sefton")["prescriptions"], 15);
    assert_eq!(count("local_authority=Sefton")["prescriptions"], Value::Null);
    analyst
        .get("/v1/reports/prescriptions?local_authority=Liverpool&local_authority=Sefton")
        .wrong_parameter("local_authority");
}

/// Numbers that are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// One value of a dimension: what to ask for it, and which of the dimension's smallest parts it is.
#[derive(Clone)]
struct Choice {
    dimension: &'static str,
    query: String,
    parts: Vec<usize>,
}

fn choice(dimension: &'static str, query: impl Into<String>, parts: &[usize]) -> Choice {
    Choice { dimension, query: query.into(), parts: parts.to_vec() }
}

/// What the rows of an answer can be: the dimension, its axis, and for each key the parts that it means.
type Group = (&'static str, usize, Vec<(String, Vec<usize>)>);

/// All that can be asked about cells, one for each combination of a part of every axis.
struct Questions {
    report: &'static str,
    column: &'static str,
    /// How many parts each axis has; the first is months.
    axes: Vec<usize>,
    periods: Vec<Choice>,
    /// For each further axis what can be asked of it.
    filters: Vec<Vec<Choice>>,
    groups: Vec<Group>,
}

/// A question, and the counts that its answer gives. It is refused if it gives none.
struct Question {
    path: String,
    counts: Vec<Count>,
}

/// A count of an answer: its totals, or the row with this key.
struct Count {
    key: Option<String>,
    cells: BTreeSet<usize>,
    dimensions: usize,
}

impl Questions {
    fn cell(&self, parts: &[usize]) -> usize {
        parts.iter().zip(&self.axes).fold(0, |number, (part, size)| number * size + part)
    }

    /// The cells whose part of every axis is among these.
    fn cells_of(&self, parts: &[Vec<usize>]) -> BTreeSet<usize> {
        every_way(parts).iter().map(|parts| self.cell(parts)).collect()
    }

    /// Every question, over the whole of a period or refused.
    fn all(&self) -> Vec<Question> {
        let options = |choices: &Vec<Choice>| std::iter::once(None).chain(choices.iter().cloned().map(Some)).collect();
        let filters: Vec<Vec<Option<Choice>>> = self.filters.iter().map(options).collect();
        let groups: Vec<Option<&Group>> = std::iter::once(None).chain(self.groups.iter().map(Some)).collect();
        let with_groups = |filters: Vec<Option<Choice>>| groups.iter().map(move |group| (filters.clone(), *group));
        every_way(&filters)
            .into_iter()
            .flat_map(with_groups)
            .flat_map(|(filters, group)| self.of(&filters, group))
            .collect()
    }

    /// The question with these filters and rows, for every period.
    fn of(&self, filters: &[Option<Choice>], group: Option<&Group>) -> Vec<Question> {
        let chosen = || filters.iter().flatten();
        let without_rows: BTreeSet<&str> = chosen().map(|choice| choice.dimension).collect();
        let mut dimensions = without_rows.clone();
        dimensions.extend(group.map(|(name, ..)| *name));
        if dimensions.contains("area") && without_rows.contains("local_authority") {
            return Vec::new();
        }
        let query: String = chosen().map(|choice| format!("&{}", choice.query)).collect();
        let query = query + &group.map(|(name, ..)| format!("&group_by={name}")).unwrap_or_default();
        let allowed = is_allowed(&dimensions);
        let periods = if allowed { self.periods.as_slice() } else { &self.periods[..1] };
        let question = |period: &Choice| {
            let path = format!("/v1/reports/{}?{}{query}", self.report, period.query);
            let whole = |(axis, filter): (usize, &Option<Choice>)| {
                filter.as_ref().map_or_else(|| (0..self.axes[axis + 1]).collect(), |choice| choice.parts.clone())
            };
            let mut parts = vec![period.parts.clone()];
            parts.extend(filters.iter().enumerate().map(whole));
            let mut counts = vec![Count { key: None, cells: self.cells_of(&parts), dimensions: without_rows.len() }];
            for (axis, key, of_key) in
                group.iter().flat_map(|(_, axis, keys)| keys.iter().map(move |(k, p)| (axis, k, p)))
            {
                let mut parts = parts.clone();
                parts[*axis].retain(|part| of_key.contains(part));
                let cells = self.cells_of(&parts);
                counts.push(Count { key: Some(key.clone()), cells, dimensions: dimensions.len() });
            }
            Question { path, counts: if allowed { counts } else { Vec::new() } }
        };
        periods.iter().map(question).collect()
    }

    /// Asks the server everything. Gives the number of answers, and a puzzle of the counts of at most one dimension, one
    /// of those of at most two, and one of all.
    fn ask(&self, analyst: &Client, truth: &[i64]) -> (usize, [Puzzle; 3]) {
        let (mut answered, mut puzzles) = (0, <[Puzzle; 3]>::default());
        for question in self.all() {
            let answer = analyst.get(&question.path);
            if question.counts.is_empty() {
                assert_eq!(answer.status, 400, "{}", question.path);
                continue;
            }
            let report = answer.expect(200);
            for count in question.counts {
                let rows = report["rows"].as_array().unwrap();
                // A group in which nothing was counted has no row.
                let given = match &count.key {
                    None => report["totals"][self.column].as_i64(),
                    Some(key) => {
                        rows.iter().find(|row| row["key"] == **key).map_or(Some(0), |row| row[self.column].as_i64())
                    }
                };
                assert_eq!(given, published(&count.cells, truth), "{} {:?}", question.path, count.key);
                learn(&mut puzzles, count, given);
            }
            answered += 1;
        }
        (answered, puzzles)
    }

    /// The same without a server, by the rule that the server follows.
    fn imagine(&self, truth: &[i64]) -> [Puzzle; 3] {
        let mut puzzles = <[Puzzle; 3]>::default();
        for count in self.all().into_iter().flat_map(|question| question.counts) {
            let given = published(&count.cells, truth);
            learn(&mut puzzles, count, given);
        }
        puzzles
    }
}

/// One of each, in every way.
fn every_way<T: Clone>(choices: &[Vec<T>]) -> Vec<Vec<T>> {
    choices.iter().fold(vec![Vec::new()], |ways, next| {
        let with = |way: &Vec<T>| {
            next.iter().map(|one| [way.as_slice(), std::slice::from_ref(one)].concat()).collect::<Vec<_>>()
        };
        ways.iter().flat_map(with).collect()
    })
}

/// What is published of a count: 1 to 7 are null, and everything else is the nearest multiple of 5.
fn published(cells: &BTreeSet<usize>, truth: &[i64]) -> Option<i64> {
    let count: i64 = cells.iter().map(|cell| truth[*cell]).sum();
    (!(1..=7).contains(&count)).then_some((count + 2) / 5 * 5)
}

fn learn(puzzles: &mut [Puzzle; 3], count: Count, given: Option<i64>) {
    for puzzle in puzzles.iter_mut().skip(count.dimensions.saturating_sub(1)) {
        puzzle.learn(count.cells.clone(), given);
    }
}

fn is_allowed(dimensions: &BTreeSet<&str>) -> bool {
    let place = dimensions.contains("local_authority") || dimensions.contains("area");
    let named = dimensions.len() == 3 && place && dimensions.contains("pillar") && dimensions.contains("delivery");
    dimensions.len() <= 2 || named
}

/// Local authorities and areas as choices, over the places that lie in each.
fn places(of: &[&str]) -> Vec<Choice> {
    let lying_in = |names: &[&str]| (0..of.len()).filter(|at| names.contains(&of[*at])).collect::<Vec<_>>();
    let names: BTreeSet<&str> = of.iter().copied().collect();
    let one = |name: &&str| choice("local_authority", format!("local_authority={name}"), &lying_in(&[name]));
    let mut choices: Vec<Choice> = names.iter().map(one).collect();
    choices.push(choice("area", "area=liverpool-and-sefton", &lying_in(&["Liverpool", "Sefton"])));
    choices
}

const SITES: [(&str, &str); 4] =
    [("walton", "Liverpool"), ("central", "Liverpool"), ("southport", "Sefton"), ("kirkby", "Knowsley")];

const ORIGINS: [&str; 4] = ["self", "advisor", "gp", "partner"];

/// All that can be asked about prescriptions of these months, at these sites.
fn about_prescriptions(months: &[&str], periods: Vec<Choice>, sites: &[String; 4]) -> Questions {
    let by_place: Vec<&str> = SITES.iter().map(|(_, authority)| *authority).collect();
    let in_place = |name: &str| (0..4).filter(|at| by_place[*at] == name).collect::<Vec<_>>();
    let site = |at: usize| choice("site", format!("site_id={}", sites[at]), &[at]);
    let origin = |at: usize| choice("origin", format!("origin={}", ORIGINS[at]), &[at]);
    Questions {
        report: "prescriptions",
        column: "prescriptions",
        axes: vec![months.len(), 4, 4],
        periods,
        filters: vec![places(&by_place).into_iter().chain((0..4).map(site)).collect(), (0..4).map(origin).collect()],
        groups: vec![
            ("month", 0, months.iter().enumerate().map(|(at, month)| ((*month).to_owned(), vec![at])).collect()),
            ("site", 1, (0..4).map(|at| (sites[at].clone(), vec![at])).collect()),
            ("local_authority", 1, ["Liverpool", "Sefton", "Knowsley"].map(|n| (n.to_owned(), in_place(n))).to_vec()),
        ],
    }
}

const DAYS: [&str; 4] = ["2026-02-10", "2026-03-10", "2026-04-10", "2026-05-12"];

/// Each month, these years with their months, and all of them.
fn periods(months: &[&str], years: &[(&str, &[usize])]) -> Vec<Choice> {
    let month = |(at, month): (usize, &&str)| choice("", format!("period={month}"), &[at]);
    let year = |(year, parts): &(&str, &[usize])| choice("", format!("period={year}"), parts);
    let all = choice("", "period=all", &(0..months.len()).collect::<Vec<_>>());
    months.iter().enumerate().map(month).chain(years.iter().map(year)).chain([all]).collect()
}

fn small_counts(chance: u64, cells: usize, most: u64) -> Vec<i64> {
    let mut chance = Chance(chance);
    (0..cells).map(|_| if chance.below(3) == 0 { 0 } else { chance.below(most) as i64 }).collect()
}

fn start() -> App {
    App::start_with(Config { reports_since: day("2026-02-01"), ..Config::default() })
}

/// Every question about prescriptions, and what of its small counts can be worked out from all answers together. The
/// months are two of one financial year and two of the next.
#[test]
fn no_small_count_of_prescriptions_is_told_by_one_dimension_and_few_by_two() {
    let app = start();
    let mut seed = Seed::new(&app);
    let sites = SITES.map(|(slug, authority)| {
        let venue = seed.venue(slug, authority);
        seed.site(slug, &[(venue, "2020-01-01", None)])
    });
    let months = DAYS.map(|day| &day[..7]);
    let periods = periods(&months, &[("2025-26", &[0, 1]), ("2026-27", &[2, 3])]);
    let questions = about_prescriptions(&months, periods, &sites.map(|site| site.to_string()));
    let truth = small_counts(2, 64, 4);
    for (cell, parts) in every_way(&[vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![0, 1, 2, 3]]).iter().enumerate() {
        for _ in 0..truth[cell] {
            seed.prescription(Some(sites[parts[1]]), ORIGINS[parts[2]], "active", Some(DAYS[parts[0]]));
        }
    }
    let (answered, [one, two, _]) = questions.ask(&app.analyst(), &truth);
    let (hidden, told) = one.told(&truth);
    assert!(hidden >= 20 && told.is_empty(), "of {hidden} small counts these are told: {told:?}");
    let (hidden, told) = two.told(&truth);
    println!("{answered} answers; in two dimensions {} of {hidden} small counts are told", told.len());
    assert!(hidden >= 100 && told.len() * 20 <= hidden, "{} of {hidden} are told", told.len());
}

/// The same for attendance, whose published figure has three dimensions: place, pillar and delivery.
#[test]
fn no_small_count_of_attendances_is_told_by_one_dimension_and_few_by_more() {
    let app = start();
    let mut seed = Seed::new(&app);
    let by_place = ["Liverpool", "Sefton", "Knowsley"];
    let venues = by_place.map(|authority| seed.venue(&authority.to_lowercase(), authority));
    let pillars = ["learning", "social_prescribing", "community"];
    let deliveries = ["in_person", "online"];
    let partners = [seed.partner_with_programme("one"), seed.partner_with_programme("other")];
    let pick = |dimension, names: &[&str]| -> Vec<Choice> {
        (0..names.len()).map(|at| choice(dimension, format!("{dimension}={}", names[at]), &[at])).collect()
    };
    let partner = |at: usize| choice("partner", format!("partner_id={}", partners[at].0), &[at]);
    let programme = |at: usize| choice("programme", format!("programme_id={}", partners[at].1), &[at]);
    let months = ["2026-02", "2026-03"];
    let questions = Questions {
        report: "attendance",
        column: "attendances",
        axes: vec![2, 3, 3, 2, 2],
        periods: periods(&months, &[]),
        filters: vec![
            places(&by_place),
            pick("pillar", &pillars),
            pick("delivery", &deliveries),
            (0..2).map(partner).chain((0..2).map(programme)).collect(),
        ],
        groups: vec![
            ("month", 0, months.iter().enumerate().map(|(at, month)| ((*month).to_owned(), vec![at])).collect()),
            ("local_authority", 1, (0..3).map(|at| (by_place[at].to_owned(), vec![at])).collect()),
        ],
    };
    let truth = small_counts(5, 72, 3);
    for (cell, count) in truth.iter().enumerate() {
        let (month, venue, pillar) = (cell / 36, cell / 12 % 3, cell / 4 % 3);
        let (delivery, partner) = (cell / 2 % 2, cell % 2);
        let by = Some(partners[partner]);
        // An online session has no place, but people take part online in a hybrid one, which has.
        let session = seed.session_of(DAYS[month], Some(venues[venue]), pillars[pillar], "hybrid", by);
        for _ in 0..*count {
            let member = seed.member();
            seed.booking(session, member, "attended", deliveries[delivery]);
        }
    }
    let (answered, puzzles) = questions.ask(&app.analyst(), &truth);
    for (dimensions, puzzle) in (1..).zip(&puzzles) {
        let (hidden, told) = puzzle.told(&truth);
        println!("{answered} answers; in {dimensions} dimensions {} of {hidden} small counts are told", told.len());
        let most = [0, hidden / 20, hidden / 10][dimensions - 1];
        assert!(hidden >= 5, "the world has too few small counts in {dimensions} dimensions: {hidden}");
        assert!(told.len() <= most, "in {dimensions} dimensions {} of {hidden} are told", told.len());
    }
}

/// Random worlds of services of several sizes, over one financial year. `DISCLOSURE_WORLDS` says how many of each size;
/// otherwise it is one.
///
/// A service of the size of the published figures tells nothing by one dimension and few small counts by two. A small
/// service tells more, since a nought is shown: where as many groups have anybody as a hidden total can hold, there is
/// one in each. See `src/reports/disclosure.rs`.
#[test]
fn of_random_worlds_as_large_as_the_service_few_small_counts_are_told() {
    let many = env::var("DISCLOSURE_WORLDS").map_or(1, |text| text.parse().expect("a number"));
    let months: Vec<String> = (4..=12).map(|month| format!("2025-{month:02}")).collect();
    let months: Vec<String> = months.into_iter().chain((1..=3).map(|month| format!("2026-{month:02}"))).collect();
    let months: Vec<&str> = months.iter().map(String::as_str).collect();
    let questions = about_prescriptions(&months, periods(&months, &[]), &SITES.map(|(slug, _)| slug.to_owned()));
    let cells: usize = questions.axes.iter().product();
    for tenths in [1, 3, 10, 30, 70] {
        let (mut hidden, mut told) = ([0; 2], [0; 2]);
        for number in 0..many {
            let mut chance = Chance(1_000 * number + tenths);
            let mut count = |_| (0..20).filter(|_| chance.below(200) < tenths).count() as i64;
            let truth: Vec<i64> = (0..cells).map(&mut count).collect();
            for (at, puzzle) in questions.imagine(&truth).iter().take(2).enumerate() {
                let (of, these) = puzzle.told(&truth);
                hidden[at] += of;
                told[at] += these.len();
            }
        }
        let mean = tenths as f64 * 16.0 / 10.0;
        println!(
            "{mean:.0} prescriptions a month, {many} worlds: told {told:?} of {hidden:?} by one and two dimensions"
        );
        if tenths >= 30 {
            assert!(told[0] == 0 && told[1] * 20 <= hidden[1], "{mean:.0} a month: {told:?} of {hidden:?} are told");
        }
    }
}
