//! An instant in JSON as a number of microseconds, where it must be kept whole. Elsewhere it is shown to the second.

use chrono::DateTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

use super::Timestamp;

/// Writes an instant.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.0.timestamp_micros())
}

/// Reads an instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let micros = i64::deserialize(deserializer)?;
    DateTime::from_timestamp_micros(micros).map(Timestamp).ok_or_else(|| D::Error::custom("no instant"))
}

/// The same for an instant that can be missing.
pub mod option {
    use super::*;

    /// Writes an instant.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let micros = Option::<i64>::deserialize(deserializer)?;
        let read = |micros| DateTime::from_timestamp_micros(micros).map(Timestamp);
        micros.map(|micros| read(micros).ok_or_else(|| D::Error::custom("no instant"))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_whole() {
        #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
        struct Kept {
            #[serde(with = "super")]
            at: Timestamp,
            #[serde(with = "super::option")]
            or_not: Option<Timestamp>,
        }
        let at = Timestamp("2026-11-23T09:00:00.123456Z".parse().unwrap());
        for or_not in [None, Some(at)] {
            let text = serde_json::to_string(&Kept { at, or_not }).unwrap();
            assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), Kept { at, or_not }, "{text}");
        }
    }
}
