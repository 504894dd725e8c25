//! Prescriptions: the published number of those that count, and many that don't count.

use chrono::{Days, NaiveDate};

use super::people::People;
use super::places::Places;
use super::random::Random;
use super::sessions::Sessions;
use super::store::{ItemRow, NeedRow, PrescriptionRow};
use super::{MEMBERS, Moment, PRESCRIPTIONS, day, figures_begin, noon};
use crate::db::Id;

const DOMAINS: [&str; 14] = [
    "housing",
    "debt",
    "benefits",
    "employment",
    "education",
    "digital_skills",
    "physical_wellbeing",
    "mental_wellbeing",
    "loneliness",
    "caring",
    "family",
    "arts_and_culture",
    "volunteering",
    "other",
];
const WORDS: [&str; 5] = [
    "I would like to get out of the house more.",
    "I miss singing.",
    "I want to sort out my bills and sleep again.",
    "Meeting people, without having to explain myself.",
    "Something to look forward to in the week.",
];

/// Prescriptions with their needs and items.
#[derive(Default)]
pub(super) struct Prescriptions {
    pub(super) prescriptions: Vec<PrescriptionRow>,
    pub(super) needs: Vec<NeedRow>,
    pub(super) items: Vec<ItemRow>,
}

/// A site, and the first and the last day of a time that it was in one place.
type Window = (Option<Id>, NaiveDate, NaiveDate);

/// What the prescriptions of a group have in common.
struct Kind<'a> {
    origin: &'static str,
    windows: &'a [Window],
    /// `None`: active, completed or closed early, at random.
    status: Option<&'static str>,
    /// How many.
    count: usize,
}

struct Planner<'a> {
    random: &'a mut Random,
    series: Vec<Id>,
    partners: Vec<Id>,
    planned: Prescriptions,
}

pub(super) fn plan(
    random: &mut Random,
    places: &Places,
    sessions: &Sessions,
    people: &People,
    moment: Moment,
) -> Prescriptions {
    let mut planner = Planner {
        random,
        series: sessions.series_ids(),
        partners: places.all_partners(),
        planned: Prescriptions::default(),
    };
    // The prescriptions of the published figure lie in published months. Everything else goes on until yesterday.
    let (since, given, until) = (figures_begin(), moment.given, moment.today - Days::new(1));
    let site = |slug| places.site(slug);
    let in_liverpool = |until: NaiveDate| {
        [
            (site("walton"), since, until),
            (site("central-liverpool"), since, until.min(day(2023, 3, 31))),
            (site("central-liverpool"), since, until),
            (site("demo-waterside"), since, until.min(day(2023, 12, 31))),
        ]
    };
    let (counted_in, liverpool) = (in_liverpool(given), in_liverpool(until));
    // The last thousand people are in neither figure.
    let counted = |number: usize| 3_000 + number % 8_000;
    for number in 0..PRESCRIPTIONS {
        planner.add(people.members[counted(number)].id, &Kind::of("advisor", &counted_in, None, 1));
    }
    let before = day(2020, 1, 6);
    let eve = since - Days::new(1);
    let earlier = [(site("walton"), before, eve), (site("central-liverpool"), before, eve)];
    let moved = day(2024, 1, 1).min(until);
    let sefton =
        [(site("southport"), since, until), (site("bootle"), since, until), (site("demo-waterside"), moved, until)];
    // Before it moves, the site is in Liverpool. If it hasn't moved yet, only the other two sites are in Sefton.
    let sefton = if moved < day(2024, 1, 1) { &sefton[..2] } else { &sefton[..] };
    let knowsley = [(site("demo-kirkby"), since, until)];
    let nowhere = [(None, since, until)];
    let noise = [
        Kind::of("self", &liverpool, None, 300),
        Kind::of("gp", &liverpool, None, 450),
        Kind::of("partner", &liverpool, None, 150),
        Kind::of("advisor", sefton, None, 1_300),
        Kind::of("advisor", &knowsley, None, 220),
        Kind::of("advisor", &nowhere, None, 90),
        Kind::of("advisor", &earlier, None, 600),
        Kind::of("advisor", &liverpool, Some("draft"), 320),
        Kind::of("advisor", &liverpool, Some("declined"), 140),
    ];
    for kind in &noise {
        for number in 0..kind.count {
            // One in four belongs to the last thousand people.
            let last = number % 4 == 0;
            let who = if last { MEMBERS - 1 - planner.random.below(1_000) } else { planner.random.below(MEMBERS) };
            planner.add(people.members[who].id, kind);
        }
    }
    planner.planned
}

impl<'a> Kind<'a> {
    fn of(origin: &'static str, windows: &'a [Window], status: Option<&'static str>, count: usize) -> Self {
        Self { origin, windows, status, count }
    }
}

impl Planner<'_> {
    fn add(&mut self, member_id: Id, kind: &Kind<'_>) {
        let (site_id, from, until) = *self.random.pick(kind.windows);
        let days = (until - from).num_days().max(0) + 1;
        let developed = from + Days::new(self.random.below(usize::try_from(days).unwrap_or(1)) as u64);
        let status =
            kind.status.unwrap_or(*self.random.pick(&["active", "active", "completed", "completed", "closed_early"]));
        let never_activated = matches!(status, "draft" | "declined");
        let at = noon(developed);
        let id = self.random.id(at);
        self.planned.prescriptions.push(PrescriptionRow {
            id,
            member_id,
            origin: kind.origin,
            advisor_id: None,
            site_id,
            what_matters: self.random.chance(40).then(|| *self.random.pick(&WORDS)),
            status,
            status_reason: matches!(status, "closed_early" | "declined").then_some("Moved away (demo)"),
            developed_on: (!never_activated).then_some(developed),
            review_on: (status == "active").then(|| developed + Days::new(84)),
            version: if never_activated { 1 } else { 2 },
            created_at: at,
            updated_at: at,
        });
        self.add_needs_and_items(id, status, at);
    }

    fn add_needs_and_items(&mut self, prescription_id: Id, status: &str, at: crate::db::Timestamp) {
        let first = self.random.below(DOMAINS.len());
        for position in 0..1 + self.random.below(2) {
            let domain = DOMAINS[(first + position * 5) % DOMAINS.len()];
            let severity = Some(1 + self.random.below(5) as i32);
            self.planned.needs.push(NeedRow { prescription_id, domain, position: position as i32, severity });
        }
        let referral = self.random.chance(40);
        let status = match (status, referral) {
            ("draft", false) => "proposed",
            ("draft", true) => "requested",
            ("active", _) => *self.random.pick(&["accepted", "engaged"]),
            ("completed", _) => "completed",
            ("closed_early", _) => "disengaged",
            _ => "declined",
        };
        let (kind, series_id, partner_id) = match referral {
            true => ("partner", None, Some(*self.random.pick(&self.partners))),
            false if self.series.is_empty() => ("advice", None, None),
            false => ("series", Some(*self.random.pick(&self.series)), None),
        };
        self.planned.items.push(ItemRow {
            id: self.random.id(at),
            prescription_id,
            position: 0,
            need: Some(DOMAINS[first]),
            kind,
            series_id,
            partner_id,
            goal: self.random.chance(30).then_some("Go twice, then see"),
            status,
            version: 1,
            created_at: at,
            updated_at: at,
        });
    }
}
