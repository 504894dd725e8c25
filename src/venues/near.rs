//! Venues near a place.

use diesel::prelude::*;

use crate::db::schema::venues;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};

/// How many kilometres around a place to search by default.
const USUAL_KM: f64 = 10.0;
/// The Earth's mean radius (IUGG) in millimetres.
const EARTH_MM: f64 = 6_371_008_771.4;
/// The length of a degree of latitude in millimetres. A little less than the real length, so that the band of latitudes
/// is never too narrow.
const DEGREE_MM: f64 = 111_000_000.0;

/// Everything within a distance of a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    latitude: f64,
    longitude: f64,
    radius_mm: f64,
}

impl Circle {
    /// Reads `near=53.41,-2.98` and `within_km`.
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
        // The pattern of the parameter has checked that both are numbers within bounds.
        let wrong = || Error::parameter("near", "wrong_format", "Must be degrees north and east: 53.4097,-2.9795.");
        let degrees = |text: &str| text.parse().map_err(|_| wrong());
        let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
        let radius_mm = within_km.unwrap_or(USUAL_KM) * 1_000_000.0;
        Ok(Some(Self { latitude: degrees(latitude)?, longitude: degrees(longitude)?, radius_mm }))
    }

    /// The distance to a place on the sphere (the haversine formula), rounded to millimetres.
    fn distance_mm(&self, latitude: f64, longitude: f64) -> f64 {
        let (from, to) = (self.latitude.to_radians(), latitude.to_radians());
        let (up, along) = (to - from, (longitude - self.longitude).to_radians());
        let half = (up / 2.0).sin().powi(2) + from.cos() * to.cos() * (along / 2.0).sin().powi(2);
        (2.0 * EARTH_MM * half.sqrt().min(1.0).asin()).round()
    }

    /// The venues in the circle, each with its distance in millimetres: the nearest first, by id at equal distances.
    pub fn venues(&self, conn: &mut Conn) -> Result<Vec<(i64, Id)>> {
        let height = self.radius_mm / DEGREE_MM;
        // Reads the whole band of latitudes from an index that holds all columns needed. Few of its venues are outside
        // the circle.
        let band = venues::table
            .filter(venues::latitude.ge(self.latitude - height))
            .filter(venues::latitude.le(self.latitude + height))
            .filter(venues::longitude.is_not_null())
            .select((venues::latitude.assume_not_null(), venues::longitude.assume_not_null(), venues::id));
        let mut near = Vec::new();
        for (latitude, longitude, id) in band.load::<(f64, f64, Id)>(conn)? {
            let distance = self.distance_mm(latitude, longitude);
            if distance <= self.radius_mm {
                near.push((distance as i64, id));
            }
        }
        near.sort_unstable();
        Ok(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn circle(near: &str, within_km: f64) -> Circle {
        Circle::read(Some(near), Some(within_km)).unwrap().unwrap()
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        // Liverpool Central Library to the Royal Albert Hall, and a quarter of the way around the Earth.
        let library = circle("53.4097,-2.9795", 10.0);
        assert!((library.distance_mm(51.5009, -0.1774) / 1e6 - 284.9).abs() < 0.5);
        assert!((circle("0,0", 1.0).distance_mm(0.0, 90.0) / 1e6 - 10_007.557).abs() < 0.001);
        assert_eq!(library.distance_mm(53.4097, -2.9795), 0.0);
        assert!((circle("0,179.99", 1.0).distance_mm(0.0, -179.99) / 1e6 - 2.224).abs() < 0.001);
    }

    proptest! {
        #[test]
        fn the_band_of_latitudes_holds_the_circle(
            from in -90f64..90.0, up in -1f64..1.0, along in -180f64..180.0, radius in 0.1f64..50.0,
        ) {
            let circle = Circle { latitude: from, longitude: 0.0, radius_mm: radius * 1e6 };
            let to = (from + up).clamp(-90.0, 90.0);
            let inside = circle.distance_mm(to, along) <= circle.radius_mm;
            prop_assert!(!inside || (to - from).abs() <= circle.radius_mm / DEGREE_MM);
        }
    }
}
