//! Which questions a reader may ask a report.
//!
//! An analyst's question has a fixed period, at most one value of each filter, and at most two dimensions or one of the
//! shapes of the published figures (`SHAPES`). If days and places could be combined freely, enough questions would
//! reveal what rounding hides.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::disclosure::Disclosure;
use super::periods::{self, Refusal};
use super::types::Days;
use crate::error::{Error, Result};
use crate::period::Period;

/// The reader of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// An admin: exact figures for the service's own use.
    Manager,
    /// An analyst: figures that may leave the service.
    Analyst,
}

impl Reader {
    /// How counts are shown to this reader.
    pub fn disclosure(self) -> Disclosure {
        match self {
            Self::Manager => Disclosure::Exact,
            Self::Analyst => Disclosure::Rounded,
        }
    }
}

/// A property that figures are split by. The period isn't one; rows by month are.
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

/// The most dimensions that an analyst's question has, unless it has one of the [`SHAPES`].
const MOST_DIMENSIONS: usize = 2;

/// Questions with more dimensions that analysts may ask: {place, pillar, delivery} for attendance.
const SHAPES: [&[Dimension]; 2] = [
    &[Dimension::LocalAuthority, Dimension::Pillar, Dimension::Delivery],
    &[Dimension::Area, Dimension::Pillar, Dimension::Delivery],
];

/// The parts of a question that the rules look at.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// The period, instead of days.
    pub period: Option<Period>,
    /// Each repeatable filter: its parameter, its dimension and how many values it was given.
    pub filters: Vec<(&'static str, Dimension, usize)>,
    /// What each row stands for.
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

/// The days of a question. Figures begin on `since`.
///
/// # Errors
/// 400 that names the parameter: if the question contradicts itself, the period isn't published yet, or an analyst may
/// not ask this question.
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

/// Refuses a question that an analyst may not ask.
fn check_shape(question: &Question) -> Result<()> {
    for (name, given) in [("from", question.from), ("to", question.to)] {
        if given.is_some() {
            let detail = "Only admins choose days. Ask for a period instead: a month (2026-11), a financial year \
                          (2026-27) or all.";
            return Err(Error::parameter(name, "not_yours", detail));
        }
    }
    if let Some((name, ..)) = question.filters.iter().find(|(.., values)| *values > 1) {
        let detail = "Only admins give a filter more than one value. Several local authorities together are a \
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
