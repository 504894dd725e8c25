//! The setting of how long records are kept.

use chrono::{Months, NaiveDate};
use clap::Args;

/// For how many years the record of a member is kept that nobody uses. Then it is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct RetentionYears {
    /// After how many years without activity a member's record is to be looked through, from 7 to 100
    #[arg(long = "retention-years", env = "LIFE_ROOMS_RETENTION_YEARS", value_name = "YEARS", default_value = "8")]
    #[arg(value_parser = years)]
    pub years: u32,
}

impl RetentionYears {
    /// The day before which the last activity of a record to look through was, on this day.
    pub fn before(self, today: NaiveDate) -> NaiveDate {
        today.checked_sub_months(Months::new(12 * self.years)).unwrap_or(NaiveDate::MIN)
    }
}

impl Default for RetentionYears {
    fn default() -> Self {
        Self { years: 8 }
    }
}

/// Reads the years. At least seven, so that whoever is under 25 and was last active before was then under 18: the records
/// of children are kept until they are 25 (Records Management Code of Practice 2021, NHS England).
fn years(text: &str) -> Result<u32, String> {
    let years = text.trim().parse().ok().filter(|years| (7..=100).contains(years));
    years.ok_or_else(|| {
        format!("LIFE_ROOMS_RETENTION_YEARS must be a whole number of years from 7 to 100, not {text:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept_for_eight_years_or_as_is_set() {
        assert_eq!(RetentionYears::default().before("2028-02-29".parse().unwrap()).to_string(), "2020-02-29");
        assert_eq!(years("7"), Ok(7));
        for wrong in ["6", "101", "8.5", "", "eight"] {
            let told = years(wrong).unwrap_err();
            assert!(told.starts_with("LIFE_ROOMS_RETENTION_YEARS must be a whole number of years"), "{told}");
        }
    }
}
