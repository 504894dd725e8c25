//! Venues near a place.

use std::fmt;

use diesel::prelude::*;

use crate::db::schema::venues;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::postcodes::{districts, store as postcodes};
use crate::text::postcode;

/// How many kilometres around a place to search by default.
const USUAL_KM: f64 = 10.0;
/// The Earth's mean radius (IUGG) in millimetres.
const EARTH_MM: f64 = 6_371_008_771.4;
/// The length of a degree of latitude in millimetres. A little less than the real length, so that the band of latitudes
/// is never too narrow.
const DEGREE_MM: f64 = 111_000_000.0;

/// Everything within a distance of a place.
#[derive(Clone, PartialEq)]
pub struct Circle {
    centre: Place,
    radius_mm: f64,
}

/// A place, as the client gives it. It may be where somebody lives, so it can't be printed.
#[derive(Clone, PartialEq)]
enum Place {
    /// Degrees north and east.
    At(Point),
    /// A postcode in its stored form.
    Postcode(String),
    /// The first half of a postcode.
    District(String),
}

/// Degrees north and east.
#[derive(Clone, Copy, PartialEq)]
struct Point {
    latitude: f64,
    longitude: f64,
}

impl Place {
    /// Reads a place. `None` if the text is none of the three.
    fn read(text: &str) -> Option<Self> {
        let Some((latitude, longitude)) = text.split_once(',') else {
            let district = || postcode::district(text).map(Self::District);
            return postcode::read(text).map(Self::Postcode).or_else(district);
        };
        // The format of the parameter has checked that both are numbers within bounds.
        Some(Self::At(Point { latitude: latitude.parse().ok()?, longitude: longitude.parse().ok()? }))
    }

    /// Where the place is. A postcode that isn't in the table of postcodes is at the centre of its district.
    ///
    /// # Errors
    /// 400 if the service doesn't know the district.
    fn point(&self, conn: &mut Conn) -> Result<Point> {
        let found = match self {
            Self::At(point) => return Ok(*point),
            Self::District(district) => districts::centre(district),
            Self::Postcode(postcode) => match postcodes::place(conn, postcode)? {
                Some(degrees) => Some(degrees),
                None => postcode.split(' ').next().and_then(districts::centre),
            },
        };
        let (latitude, longitude) = found.ok_or_else(|| Error::parameter("near", "unknown_postcode", UNKNOWN))?;
        Ok(Point { latitude, longitude })
    }
}

/// The refusal of a postcode in no known district.
const UNKNOWN: &str = "No such postcode is known. Send a postcode such as L4 4AA, its first half such as L4, or degrees \
                       north and east such as 53.4097,-2.9795.";

impl Circle {
    /// Reads `near=L4 4AA`, `near=L4` or `near=53.41,-2.98`, and `within_km`.
    ///
    /// # Errors
    /// 400 if the place can't be read, or a distance is given without a place.
    pub fn read(near: Option<&str>, within_km: Option<f64>) -> Result<Option<Self>> {
        let Some(text) = near else {
            return match within_km {
                None => Ok(None),
                // The default distance is as good as none given.
                Some(km) if km == USUAL_KM => Ok(None),
                Some(_) => Err(Error::parameter("within_km", "needs_near", "Can only be given together with near.")),
            };
        };
        let wrong = || Error::parameter("near", "wrong_format", UNKNOWN);
        let radius_mm = within_km.unwrap_or(USUAL_KM) * 1_000_000.0;
        Ok(Some(Self { centre: Place::read(text).ok_or_else(wrong)?, radius_mm }))
    }

    /// The venues in the circle, each with its distance in millimetres: the nearest first, by id at equal distances.
    ///
    /// # Errors
    /// 400 if the circle is around a postcode in no known district.
    pub fn venues(&self, conn: &mut Conn) -> Result<Vec<(i64, Id)>> {
        let (centre, height) = (self.centre.point(conn)?, self.radius_mm / DEGREE_MM);
        // Reads the whole band of latitudes from an index that holds all columns needed. Few of its venues are outside
        // the circle.
        let band = venues::table
            .filter(venues::latitude.ge(centre.latitude - height))
            .filter(venues::latitude.le(centre.latitude + height))
            .filter(venues::longitude.is_not_null())
            .select((venues::latitude.assume_not_null(), venues::longitude.assume_not_null(), venues::id));
        let mut near = Vec::new();
        for (latitude, longitude, id) in band.load::<(f64, f64, Id)>(conn)? {
            let distance = centre.distance_mm(Point { latitude, longitude });
            if distance <= self.radius_mm {
                near.push((distance as i64, id));
            }
        }
        near.sort_unstable();
        Ok(near)
    }
}

impl fmt::Debug for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Circle")
    }
}

impl Point {
    /// The distance to another point on the sphere (the haversine formula), rounded to millimetres.
    fn distance_mm(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let (up, along) = (to - from, (other.longitude - self.longitude).to_radians());
        let half = (up / 2.0).sin().powi(2) + from.cos() * to.cos() * (along / 2.0).sin().powi(2);
        (2.0 * EARTH_MM * half.sqrt().min(1.0).asin()).round()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(latitude: f64, longitude: f64) -> Point {
        Point { latitude, longitude }
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        // Liverpool Central Library to the Royal Albert Hall, and a quarter of the way around the Earth.
        let library = point(53.4097, -2.9795);
        assert!((library.distance_mm(point(51.5009, -0.1774)) / 1e6 - 284.9).abs() < 0.5);
        assert!((point(0.0, 0.0).distance_mm(point(0.0, 90.0)) / 1e6 - 10_007.557).abs() < 0.001);
        assert_eq!(library.distance_mm(point(53.4097, -2.9795)), 0.0);
        assert!((point(0.0, 179.99).distance_mm(point(0.0, -179.99)) / 1e6 - 2.224).abs() < 0.001);
    }

    #[test]
    fn a_place_is_degrees_a_postcode_or_a_district() {
        assert!(Place::read("53.4,-2.9") == Some(Place::At(point(53.4, -2.9))));
        assert!(Place::read(" l44aa ") == Some(Place::Postcode("L4 4AA".to_owned())));
        assert!(Place::read("l4") == Some(Place::District("L4".to_owned())));
        assert!(Place::read("Walton").is_none() && Place::read("").is_none());
    }

    proptest! {
        #[test]
        fn the_band_of_latitudes_holds_the_circle(
            from in -90f64..90.0, up in -1f64..1.0, along in -180f64..180.0, radius in 0.1f64..50.0,
        ) {
            let (to, radius_mm) = ((from + up).clamp(-90.0, 90.0), radius * 1e6);
            let inside = point(from, 0.0).distance_mm(point(to, along)) <= radius_mm;
            prop_assert!(!inside || (to - from).abs() <= radius_mm / DEGREE_MM);
        }
    }
}
