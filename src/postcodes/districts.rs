//! The centres of postcode districts such as `L4`. They are part of the program, so that a search around a postcode
//! works on a service that has imported no postcodes.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Each district's centre, in degrees north and east.
static CENTRES: LazyLock<HashMap<&'static str, (f64, f64)>> = LazyLock::new(|| {
    let lines = include_str!("districts.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(read_line).collect()
});

fn read_line(line: &'static str) -> Option<(&'static str, (f64, f64))> {
    let mut parts = line.split(',');
    let (district, latitude, longitude) = (parts.next()?, parts.next()?, parts.next()?);
    Some((district, (latitude.parse().ok()?, longitude.parse().ok()?)))
}

/// The centre of a district, written in capitals without blanks. A district of central London that isn't in the table
/// (`W1A`) is taken for the larger one that it is part of (`W1`).
pub fn centre(district: &str) -> Option<(f64, f64)> {
    let larger = || CENTRES.get(district.strip_suffix(|last: char| last.is_ascii_uppercase())?);
    CENTRES.get(district).or_else(larger).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::postcode::district;

    #[test]
    fn every_line_is_a_district_in_its_stored_form_with_a_place_in_these_islands() {
        let lines = include_str!("districts.csv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!((lines, CENTRES.len()), (2_855, 2_855));
        for (name, (latitude, longitude)) in CENTRES.iter() {
            assert_eq!(district(name).as_deref(), Some(*name));
            assert!((49.0..61.0).contains(latitude) && (-9.0..2.0).contains(longitude), "{name}");
        }
    }

    #[test]
    fn a_part_of_a_district_is_where_the_district_is() {
        assert_eq!(centre("L4"), Some((53.4378, -2.9605)));
        assert!(centre("EC1A").is_some() && centre("EC1A") != centre("EC1"));
        assert_eq!(centre("W1A"), centre("W1"));
        assert_eq!(centre("L99"), None);
        assert_eq!(centre(""), None);
    }
}
