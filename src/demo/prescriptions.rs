//! Prescriptions: the published number of those that count, and many that don't count.

use chrono::{Days, NaiveDate};
use strum::IntoEnumIterator;

use super::people::People;
use super::places::Places;
use super::random::Random;
use super::sessions::Sessions;
use super::{MEMBERS, Moment, PRESCRIPTIONS, day, figures_begin, noon};
use crate::auth::reach::Reach;
use crate::db::{Id, Timestamp};
use crate::prescriptions::items::store::ItemRow;
use crate::prescriptions::items::types::{
    PrescriptionItemChange, PrescriptionItemInput, PrescriptionItemKind, PrescriptionItemStatus as ItemStatus,
};
use crate::prescriptions::store::{PrescriptionRow, Whole};
use crate::prescriptions::types::{
    Need, NeedDomain, PrescriptionInput, PrescriptionOrigin as Origin, PrescriptionStatus as Status,
};

const WORDS: [&str; 5] = [
    "I would like to get out of the house more.",
    "I miss singing.",
    "I want to sort out my bills and sleep again.",
    "Meeting people, without having to explain myself.",
    "Something to look forward to in the week.",
];

/// A site, and the first and the last day of a time that it was in one place.
type Window = (Option<Id>, NaiveDate, NaiveDate);

/// What the prescriptions of a group have in common.
struct Kind<'a> {
    origin: Origin,
    windows: &'a [Window],
    /// `None`: active, completed or closed early, at random.
    status: Option<Status>,
    /// How many.
    count: usize,
}

struct Planner<'a> {
    random: &'a mut Random,
    series: Vec<Id>,
    partners: Vec<Id>,
    planned: Vec<Whole>,
}

pub(super) fn plan(
    random: &mut Random,
    places: &Places,
    sessions: &Sessions,
    people: &People,
    moment: Moment,
) -> Vec<Whole> {
    let mut planner =
        Planner { random, series: sessions.series_ids(), partners: places.made_up_partners(), planned: Vec::new() };
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
        planner.add(people.members[counted(number)].id, &Kind::of(Origin::Advisor, &counted_in, None, 1));
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
        Kind::of(Origin::Own, &liverpool, None, 300),
        Kind::of(Origin::Gp, &liverpool, None, 450),
        Kind::of(Origin::Partner, &liverpool, None, 150),
        Kind::of(Origin::Advisor, sefton, None, 1_300),
        Kind::of(Origin::Advisor, &knowsley, None, 220),
        Kind::of(Origin::Advisor, &nowhere, None, 90),
        Kind::of(Origin::Advisor, &earlier, None, 600),
        Kind::of(Origin::Advisor, &liverpool, Some(Status::Draft), 320),
        Kind::of(Origin::Advisor, &liverpool, Some(Status::Declined), 140),
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
    fn of(origin: Origin, windows: &'a [Window], status: Option<Status>, count: usize) -> Self {
        Self { origin, windows, status, count }
    }
}

impl Planner<'_> {
    fn add(&mut self, member_id: Id, kind: &Kind<'_>) {
        let (site_id, from, until) = *self.random.pick(kind.windows);
        let days = (until - from).num_days().max(0) + 1;
        let developed = from + Days::new(self.random.below(usize::try_from(days).unwrap_or(1)) as u64);
        let status = kind.status.unwrap_or(*self.random.pick(&[
            Status::Active,
            Status::Active,
            Status::Completed,
            Status::Completed,
            Status::ClosedEarly,
        ]));
        let at = noon(developed);
        let id = self.random.id(at);
        let what_matters = self.random.chance(40).then(|| (*self.random.pick(&WORDS)).to_owned());
        let review_on = (status == Status::Active).then(|| developed + Days::new(84));
        let needs = self.needs();
        let item = self.item(id, needs.first().map(|need| need.domain), status, at);
        let written = PrescriptionInput {
            member_id,
            origin: kind.origin,
            site_id,
            what_matters,
            needs: Vec::new(),
            items: Vec::new(),
            developed_on: None,
            review_on,
        };
        let draft = PrescriptionRow::new(id, &written, None, at);
        let active = |row: PrescriptionRow| row.moved(Status::Active, None, developed, at);
        let moved_away = || Some("Moved away (demo)".to_owned());
        let row = match status {
            Status::Draft => draft,
            Status::Active => active(draft),
            Status::Declined => draft.moved(status, moved_away(), developed, at),
            Status::Completed => active(draft).moved(status, None, developed, at),
            Status::ClosedEarly => active(draft).moved(status, moved_away(), developed, at),
        };
        self.planned.push(Whole { row, needs, items: vec![item] });
    }

    /// One or two needs.
    fn needs(&mut self) -> Vec<Need> {
        let domains: Vec<NeedDomain> = NeedDomain::iter().collect();
        let (first, count) = (self.random.below(domains.len()), 1 + self.random.below(2));
        let need = |position| Need {
            domain: domains[(first + position * 5) % domains.len()],
            severity: Some(1 + self.random.below(5) as i32),
            note: None,
        };
        (0..count).map(need).collect()
    }

    /// An item that meets a need, in a state that goes with its prescription's.
    fn item(&mut self, prescription_id: Id, need: Option<NeedDomain>, status: Status, at: Timestamp) -> ItemRow {
        let (kind, target_id) = match (self.random.chance(40), self.series.is_empty()) {
            (true, _) => (PrescriptionItemKind::Partner, Some(*self.random.pick(&self.partners))),
            (false, true) => (PrescriptionItemKind::Advice, None),
            (false, false) => (PrescriptionItemKind::Series, Some(*self.random.pick(&self.series))),
        };
        let goal = self.random.chance(30).then(|| "Go twice, then see".to_owned());
        let written = PrescriptionItemInput { need, kind, target_id, goal, note: None };
        let item = ItemRow::new(self.random.id(at), prescription_id, 0, &written, Reach::Everyone, at);
        let status = match status {
            Status::Draft => return item,
            Status::Active => *self.random.pick(&[ItemStatus::Accepted, ItemStatus::Engaged]),
            Status::Completed => ItemStatus::Completed,
            Status::ClosedEarly => ItemStatus::Disengaged,
            Status::Declined => ItemStatus::Declined,
        };
        item.changed(PrescriptionItemChange { status, ..item.written() }, at)
    }
}
