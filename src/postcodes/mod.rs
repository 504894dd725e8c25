//! The postcodes of the United Kingdom, each with its local authority.
//!
//! An operator downloads the directory of the Office for National Statistics and imports it (`life-rooms postcodes
//! import`). Without it no postcode is looked up. The [`districts`] can't stand in for the directory where the local
//! authority matters, because districts cross the boundaries of local authorities. For a search around a place they can.

pub mod districts;
pub mod import;
pub mod read;
pub mod store;
