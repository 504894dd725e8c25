//! Who may ask a report what.
//!
//! An analyst's question has a fixed period, one value of each filter, and few dimensions: at most two, or one of the
//! named shapes that the published figures have. With free ranges of days or free sets of places, enough questions give
//! away what rounding hides.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::disclosure::Disclosure;
use super::periods::{self, Refusal};
use super::types::Days;
use crate::error::{Error, Result};
use crate::period::Period;

/// Who reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A site manager: exact figures for the service's own use.
    Manager,
    /// An analyst: figures that may leave the service.
    Analyst,
}

impl Reader {
    /// How much of each count they are shown.
    pub fn disclosure(self) -> Disclosure {
        match self {
            Self::Manager => Disclosure::Exact,
            Self::Analyst => Disclosure::Rounded,
        }
    }
}

/// What a figure can be told apart by. The period isn't counted; months as rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Dimension {
    /// A named area.
    Area,
    /// A local authority.
    LocalAuthority,
    /// A site.
    Site,
    /// Where a prescription came from.
    Origin,
    /// In person or online.
    Delivery,
    /// What a session is for.
    Pillar,
    /// A partner.
    Partner,
    /// A programme.
    Programme,
    /// A calendar month.
    Month,
}

/// Most dimensions of an analyst's question that has none of the [`SHAPES`].
const MOST_DIMENSIONS: usize = 2;

/// Questions of more dimensions that analysts may ask all the same: {place, pillar, delivery} for attendance and
/// {place, origin} for prescriptions.
const SHAPES: [&[Dimension]; 4] = [
    &[Dimension::LocalAuthority, Dimension::Pillar, Dimension::Delivery],
    &[Dimension::Area, Dimension::Pillar, Dimension::Delivery],
    &[Dimension::LocalAuthority, Dimension::Origin],
    &[Dimension::Area, Dimension::Origin],
];

/// What a report was asked, as far as the rules look at it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// A period instead of days.
    pub period: Option<Period>,
    /// Each filter that can be repeated: its parameter, its dimension and how many values it was given.
    pub filters: Vec<(&'static str, Dimension, usize)>,
    /// What the rows are.
    pub group_by: Option<Dimension>,
}

impl Question {
    fn dimensions(&self) -> BTreeSet<Dimension> {
        let given = self.filters.iter().filter(|(.., values)| *values > 0);
        given.map(|(_, dimension, _)| *dimension).chain(self.group_by).collect()
    }

    fn has(&self, wanted: Dimension) -> bool {
        self.filters.iter().any(|(_, dimension, values)| *dimension == wanted && *values > 0)
    }
}

/// The days that a question is about, where figures begin on `since`.
///
/// # Errors
/// 400 that names the parameter: what contradicts itself, a period that isn't given yet, and what an analyst may not
/// ask.
pub fn days(reader: Reader, question: &Question, since: NaiveDate, today: NaiveDate) -> Result<Days> {
    if question.has(Dimension::Area) && question.has(Dimension::LocalAuthority) {
        let detail = "Give an area or a local authority, not both: an area is several local authorities together.";
        return Err(Error::parameter("area", "not_together", detail));
    }
    if reader == Reader::Analyst {
        check_shape(question)?;
    }
    match (reader, question.period) {
        (Reader::Manager, None) => {
            if matches!((question.from, question.to), (Some(from), Some(to)) if to < from) {
                return Err(Error::parameter("to", "ends_first", "Must not be before from."));
            }
            Ok(Days { from: question.from, to: question.to })
        }
        (Reader::Manager, Some(_)) if question.from.is_some() || question.to.is_some() => {
            Err(Error::parameter("period", "not_together", "Give a period, or from and to, not both."))
        }
        (_, period) => days_of(period.unwrap_or(Period::All), since, today),
    }
}

fn days_of(period: Period, since: NaiveDate, today: NaiveDate) -> Result<Days> {
    let refused = |refusal| match refusal {
        Refusal::BeforeAll => {
            let detail = format!("Figures begin on {}. Ask for a later period.", since.format("%-d %B %Y"));
            Error::parameter("period", "too_early", detail)
        }
        Refusal::GivenFrom(day) => {
            let detail = format!(
                "Figures of {period} are given from {} on: a month's figures are ready on the 8th of the next month.",
                day.format("%-d %B %Y")
            );
            Error::parameter("period", "not_given_yet", detail)
        }
    };
    let (from, to) = periods::days(period, since, today).map_err(refused)?;
    Ok(Days { from: Some(from), to: Some(to) })
}

/// Refuses what an analyst may not ask.
fn check_shape(question: &Question) -> Result<()> {
    for (name, given) in [("from", question.from), ("to", question.to)] {
        if given.is_some() {
            let detail = "Only site managers choose days. Ask for a period instead: a month (2026-11), a financial year \
                          (2026-27) or all.";
            return Err(Error::parameter(name, "not_yours", detail));
        }
    }
    if let Some((name, ..)) = question.filters.iter().find(|(.., values)| *values > 1) {
        let detail = "Only site managers give a filter more than one value. Several local authorities together are a \
                      named area: GET /v1/report-areas lists them.";
        return Err(Error::parameter(*name, "repeated", detail));
    }
    let dimensions = question.dimensions();
    let is_named = SHAPES.iter().any(|shape| dimensions == shape.iter().copied().collect());
    if dimensions.len() <= MOST_DIMENSIONS || is_named {
        return Ok(());
    }
    let names: Vec<&str> = dimensions.iter().map(|dimension| dimension.into()).collect();
    let last = question.filters.iter().rev().find(|(.., values)| *values > 0).map(|(name, ..)| *name);
    let name = if question.group_by.is_some() { "group_by" } else { last.unwrap_or("group_by") };
    let detail = format!(
        "group_by and filters together are {} dimensions here ({}). An analyst combines at most two; beside them only \
         local_authority (or area) with pillar and delivery.",
        names.len(),
        names.join(", ")
    );
    Err(Error::parameter(name, "too_many_dimensions", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn ask(reader: Reader, question: &Question) -> Result<Days> {
        days(reader, question, day("2021-10-01"), day("2026-11-23"))
    }

    fn of(filters: &[(&'static str, Dimension)], group_by: Option<Dimension>) -> Question {
        let filters = filters.iter().map(|(name, dimension)| (*name, *dimension, 1)).collect();
        Question { filters, group_by, ..Question::default() }
    }

    #[test]
    fn an_analyst_combines_two_dimensions_or_a_named_shape() {
        use Dimension::{Area, Delivery, LocalAuthority, Month, Partner, Pillar, Site};
        let allowed: [(&[Dimension], Option<Dimension>); 8] = [
            (&[], None),
            (&[], Some(Month)),
            (&[Partner], Some(Site)),
            (&[LocalAuthority], Some(LocalAuthority)),
            (&[Partner, LocalAuthority], Some(LocalAuthority)),
            (&[LocalAuthority, Pillar, Delivery], None),
            (&[Pillar, Delivery], Some(LocalAuthority)),
            (&[Area, Pillar, Delivery], Some(Delivery)),
        ];
        for (filters, group_by) in allowed {
            let named: Vec<_> = filters.iter().map(|dimension| ((*dimension).into(), *dimension)).collect();
            assert!(ask(Reader::Analyst, &of(&named, group_by)).is_ok(), "{filters:?} {group_by:?}");
        }
        let refused: [(&[Dimension], Option<Dimension>); 5] = [
            (&[LocalAuthority, Pillar], Some(Month)),
            (&[LocalAuthority, Pillar, Partner], None),
            (&[Area, Pillar, Delivery], Some(LocalAuthority)),
            (&[Area, Pillar, Delivery], Some(Month)),
            (&[Site, Pillar, Delivery], None),
        ];
        for (filters, group_by) in refused {
            let named: Vec<_> = filters.iter().map(|dimension| ((*dimension).into(), *dimension)).collect();
            let question = of(&named, group_by);
            let faults = ask(Reader::Analyst, &question).unwrap_err().into_faults();
            assert_eq!(faults[0].code, "too_many_dimensions", "{filters:?} {group_by:?}");
            assert!(ask(Reader::Manager, &question).is_ok());
        }
    }

    #[test]
    fn days_and_periods_are_what_the_reader_may_choose() {
        let all = Days { from: Some(day("2021-10-01")), to: Some(day("2026-10-31")) };
        let question = Question::default();
        assert_eq!(ask(Reader::Analyst, &question).unwrap(), all);
        assert_eq!(ask(Reader::Manager, &question).unwrap(), Days { from: None, to: None });
        let period = Question { period: Some(Period::All), ..Question::default() };
        assert_eq!(ask(Reader::Manager, &period).unwrap(), all);
        let both = Question { from: Some(day("2024-01-01")), ..period };
        for reader in [Reader::Manager, Reader::Analyst] {
            assert!(ask(reader, &both).is_err());
        }
        let turned = Question { from: Some(day("2024-02-02")), to: Some(day("2024-02-01")), ..Question::default() };
        assert!(ask(Reader::Manager, &turned).is_err());
    }
}
