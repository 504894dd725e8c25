//! What an analyst is told: rounded counts in fixed shapes, from which no small count can be worked out.

use std::collections::BTreeSet;

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
struct Choice {
    dimension: &'static str,
    query: String,
    parts: Vec<usize>,
}

fn choice(dimension: &'static str, query: impl Into<String>, parts: &[usize]) -> Choice {
    Choice { dimension, query: query.into(), parts: parts.to_vec() }
}

/// A world of cells, one for each combination of a part of every axis, and all that can be asked of it.
struct World {
    report: &'static str,
    column: &'static str,
    /// How many parts each axis has; the first is months.
    axes: Vec<usize>,
    /// The count of each cell.
    cells: Vec<i64>,
    periods: Vec<Choice>,
    /// For each further axis what can be asked of it.
    filters: Vec<Vec<Choice>>,
    /// What the rows can be, and for each key the axis and the parts it means.
    groups: Vec<(&'static str, usize, Vec<(String, Vec<usize>)>)>,
}

impl World {
    fn cell(&self, parts: &[usize]) -> usize {
        parts.iter().zip(&self.axes).fold(0, |number, (part, size)| number * size + part)
    }

    /// The cells whose part of every axis is among these.
    fn sum_of(&self, parts: &[Vec<usize>]) -> BTreeSet<usize> {
        let mut combinations = vec![Vec::new()];
        for choices in parts {
            let with = |so_far: &Vec<usize>| {
                choices.iter().map(|part| [so_far.as_slice(), &[*part]].concat()).collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(with).collect();
        }
        combinations.iter().map(|parts| self.cell(parts)).collect()
    }

    /// Every combination of filters, as a choice or none for each axis.
    fn combinations(&self) -> Vec<Vec<Option<&Choice>>> {
        let mut all = vec![Vec::new()];
        for choices in &self.filters {
            let options: Vec<Option<&Choice>> = std::iter::once(None).chain(choices.iter().map(Some)).collect();
            let with = |so_far: &Vec<Option<_>>| {
                options.iter().map(|o| [so_far.as_slice(), &[*o]].concat()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        all
    }

    /// Asks all of it; what `keeps` keeps goes into the puzzle. How many questions were answered.
    fn ask(&self, analyst: &Client, puzzles: &mut [(Puzzle, &dyn Fn(&BTreeSet<&str>) -> bool)]) -> usize {
        let mut answered = 0;
        for filters in self.combinations() {
            for group in std::iter::once(None).chain(self.groups.iter().map(Some)) {
                let chosen = filters.iter().flatten();
                let mut dimensions: BTreeSet<&str> = chosen.clone().map(|choice| choice.dimension).collect();
                dimensions.extend(group.map(|(name, ..)| *name));
                if dimensions.contains("area") && filters.iter().flatten().any(|c| c.dimension == "local_authority") {
                    continue;
                }
                let query: String = chosen.map(|choice| format!("&{}", choice.query)).collect();
                let query = query + &group.map(|(name, ..)| format!("&group_by={name}")).unwrap_or_default();
                if !is_allowed(&dimensions) {
                    let path = format!("/v1/reports/{}?period=all{query}", self.report);
                    assert_eq!(analyst.get(&path).status, 400, "{path}");
                    continue;
                }
                for period in &self.periods {
                    let report =
                        analyst.get(&format!("/v1/reports/{}?{}{query}", self.report, period.query)).expect(200);
                    self.learn(&report, period, &filters, group, &dimensions, puzzles);
                    answered += 1;
                }
            }
        }
        answered
    }

    fn learn(
        &self,
        report: &Value,
        period: &Choice,
        filters: &[Option<&Choice>],
        group: Option<&(&'static str, usize, Vec<(String, Vec<usize>)>)>,
        dimensions: &BTreeSet<&str>,
        puzzles: &mut [(Puzzle, &dyn Fn(&BTreeSet<&str>) -> bool)],
    ) {
        let mut parts = vec![period.parts.clone()];
        for (axis, filter) in filters.iter().enumerate() {
            parts.push(filter.map_or_else(|| (0..self.axes[axis + 1]).collect(), |choice| choice.parts.clone()));
        }
        let without_rows: BTreeSet<&str> = filters.iter().flatten().map(|choice| choice.dimension).collect();
        let mut learn = |parts: &[Vec<usize>], answer: &Value, dimensions: &BTreeSet<&str>| {
            let cells = self.sum_of(parts);
            for (puzzle, keeps) in puzzles.iter_mut().filter(|(_, keeps)| keeps(dimensions)) {
                let _ = keeps;
                puzzle.learn(cells.clone(), answer.as_i64());
            }
        };
        learn(&parts, &report["totals"][self.column], &without_rows);
        let Some((_, axis, keys)) = group else { return };
        for (key, of_key) in keys {
            let rows = report["rows"].as_array().unwrap();
            let row = rows.iter().find(|row| row["key"].as_str() == Some(key));
            let mut parts = parts.clone();
            parts[*axis].retain(|part| of_key.contains(part));
            // A group in which nothing was counted has no row.
            learn(&parts, row.map_or(&json!(0), |row| &row[self.column]), dimensions);
        }
    }
}

fn is_allowed(dimensions: &BTreeSet<&str>) -> bool {
    let place = dimensions.contains("local_authority") || dimensions.contains("area");
    let named = dimensions.len() == 3 && place && dimensions.contains("pillar") && dimensions.contains("delivery");
    dimensions.len() <= 2 || named
}

const SITES: [(&str, &str); 4] =
    [("walton", "Liverpool"), ("central", "Liverpool"), ("southport", "Sefton"), ("kirkby", "Knowsley")];

/// Local authorities and areas as choices, over the places that lie in each.
fn places(of: &[&str]) -> Vec<Choice> {
    let lying_in = |names: &[&str]| (0..of.len()).filter(|at| names.contains(&of[*at])).collect::<Vec<_>>();
    let mut names: Vec<&str> = of.to_vec();
    names.sort();
    names.dedup();
    let one = |name: &&str| choice("local_authority", format!("local_authority={name}"), &lying_in(&[name]));
    let mut choices: Vec<Choice> = names.iter().map(one).collect();
    choices.push(choice("area", "area=liverpool-and-sefton", &lying_in(&["Liverpool", "Sefton"])));
    choices
}

/// Two months of one financial year, two of the next.
fn periods() -> Vec<Choice> {
    vec![
        choice("", "period=2026-02", &[0]),
        choice("", "period=2026-03", &[1]),
        choice("", "period=2026-04", &[2]),
        choice("", "period=2026-05", &[3]),
        choice("", "period=2025-26", &[0, 1]),
        choice("", "period=2026-27", &[2, 3]),
        choice("", "period=all", &[0, 1, 2, 3]),
    ]
}

const DAYS: [&str; 4] = ["2026-02-10", "2026-03-10", "2026-04-10", "2026-05-12"];

fn months() -> (&'static str, usize, Vec<(String, Vec<usize>)>) {
    ("month", 0, DAYS.iter().enumerate().map(|(at, day)| (day[..7].to_owned(), vec![at])).collect())
}

fn small_counts(chance: u64, cells: usize, most: u64) -> Vec<i64> {
    let mut chance = Chance(chance);
    (0..cells).map(|_| if chance.below(3) == 0 { 0 } else { chance.below(most) as i64 }).collect()
}

fn start() -> App {
    App::start_with(Config { reports_since: day("2026-02-01"), ..Config::default() })
}

/// Every question about prescriptions, and what of its small counts can be worked out from all answers together.
#[test]
fn no_small_count_of_prescriptions_is_told_by_one_dimension_and_few_by_two() {
    let app = start();
    let mut seed = Seed::new(&app);
    let sites = SITES.map(|(slug, authority)| {
        let venue = seed.venue(slug, authority);
        seed.site(slug, &[(venue, "2020-01-01", None)])
    });
    let origins = ["self", "advisor", "gp", "partner"];
    let by_place: Vec<&str> = SITES.iter().map(|(_, authority)| *authority).collect();
    let in_place = |name: &str| (0..4).filter(|at| by_place[*at] == name).collect::<Vec<_>>();
    let site_choice = |at: usize| choice("site", format!("site_id={}", sites[at]), &[at]);
    let world = World {
        report: "prescriptions",
        column: "prescriptions",
        axes: vec![4, 4, 4],
        cells: small_counts(2, 64, 4),
        periods: periods(),
        filters: vec![
            places(&by_place).into_iter().chain((0..4).map(site_choice)).collect(),
            (0..4).map(|at| choice("origin", format!("origin={}", origins[at]), &[at])).collect(),
        ],
        groups: vec![
            months(),
            ("site", 1, (0..4).map(|at| (sites[at].to_string(), vec![at])).collect()),
            ("local_authority", 1, ["Liverpool", "Sefton", "Knowsley"].map(|n| (n.to_owned(), in_place(n))).to_vec()),
        ],
    };
    for (month, day) in DAYS.iter().enumerate() {
        for (site, id) in sites.iter().enumerate() {
            for (origin, name) in origins.iter().enumerate() {
                for _ in 0..world.cells[world.cell(&[month, site, origin])] {
                    seed.prescription(Some(*id), name, "active", Some(day));
                }
            }
        }
    }
    let mut puzzles: [(Puzzle, &dyn Fn(&BTreeSet<&str>) -> bool); 2] =
        [(Puzzle::default(), &|dimensions| dimensions.len() <= 1), (Puzzle::default(), &|_| true)];
    let answered = world.ask(&app.analyst(), &mut puzzles);
    let [(one, _), (two, _)] = &puzzles;
    let (hidden, told) = one.told(&world.cells);
    assert!(hidden >= 20 && told.is_empty(), "of {hidden} small counts these are told: {told:?}");
    let (hidden, told) = two.told(&world.cells);
    println!("{answered} answers; in two dimensions {} of {hidden} small counts can be told", told.len());
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
    let world = World {
        report: "attendance",
        column: "attendances",
        axes: vec![2, 3, 3, 2, 2],
        cells: small_counts(5, 72, 3),
        periods: vec![
            choice("", "period=2026-02", &[0]),
            choice("", "period=2026-03", &[1]),
            choice("", "period=all", &[0, 1]),
        ],
        filters: vec![
            places(&by_place),
            pick("pillar", &pillars),
            pick("delivery", &deliveries),
            (0..2).map(partner).chain((0..2).map(programme)).collect(),
        ],
        groups: vec![
            ("month", 0, vec![("2026-02".to_owned(), vec![0]), ("2026-03".to_owned(), vec![1])]),
            ("local_authority", 1, (0..3).map(|at| (by_place[at].to_owned(), vec![at])).collect()),
        ],
    };
    for cell in 0..world.cells.len() {
        let (month, venue, pillar) = (cell / 36, cell / 12 % 3, cell / 4 % 3);
        let (delivery, partner) = (cell / 2 % 2, cell % 2);
        let by = Some(partners[partner]);
        let session = seed.session_of(DAYS[month], Some(venues[venue]), pillars[pillar], deliveries[delivery], by);
        let people: Vec<Id> = (0..world.cells[cell]).map(|_| seed.member()).collect();
        seed.attended(session, &people);
    }
    let mut puzzles: [(Puzzle, &dyn Fn(&BTreeSet<&str>) -> bool); 3] = [
        (Puzzle::default(), &|dimensions| dimensions.len() <= 1),
        (Puzzle::default(), &|dimensions| dimensions.len() <= 2),
        (Puzzle::default(), &|_| true),
    ];
    let answered = world.ask(&app.analyst(), &mut puzzles);
    for (dimensions, (puzzle, _)) in (1..).zip(&puzzles) {
        let (hidden, told) = puzzle.told(&world.cells);
        println!("{answered} answers; in {dimensions} dimensions {} of {hidden} small counts can be told", told.len());
        let most = [0, hidden / 20, hidden / 10][dimensions - 1];
        assert!(hidden >= 5, "the world has too few small counts in {dimensions} dimensions: {hidden}");
        assert!(told.len() <= most, "in {dimensions} dimensions {} of {hidden} are told", told.len());
    }
}
