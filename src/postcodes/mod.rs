//! The postcodes of the United Kingdom, each with its local authority.
//!
//! An operator downloads the directory of the Office for National Statistics and imports it (`life-rooms postcodes
//! import`). Without it nothing is looked up. A table of districts such as `L9` can't stand in for the directory, because
//! districts cross the boundaries of local authorities.

pub mod import;
pub mod read;
pub mod store;
