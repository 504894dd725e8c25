//! Postcodes in the database.

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::db::schema::postcodes;
use crate::db::{AT_ONCE, Conn};
use crate::error::Result;
use crate::per_backend;
use crate::places::LocalAuthority;

/// A row of `postcodes`.
#[derive(Debug, Clone, PartialEq, Insertable)]
#[diesel(table_name = postcodes, treat_none_as_default_value = false)]
pub struct PostcodeRow {
    /// In capitals, with one space.
    pub postcode: String,
    /// The GSS code of the local authority.
    pub local_authority_code: String,
    /// Degrees north, if the place is known.
    pub latitude: Option<f64>,
    /// Degrees east, if the place is known.
    pub longitude: Option<f64>,
    /// The country of the United Kingdom.
    pub country: String,
    /// The rank of its neighbourhood in the country's index of deprivation; 1 is the most deprived.
    pub deprivation_rank: Option<i32>,
}

/// The local authority of a postcode in its stored form. `None` if the postcode isn't in the table.
pub fn local_authority(conn: &mut Conn, postcode: &str) -> Result<Option<LocalAuthority>> {
    let code = postcodes::table.find(postcode).select(postcodes::local_authority_code);
    let code: Option<String> = code.first(conn).optional()?;
    Ok(code.and_then(|code| LocalAuthority::by_code(&code)))
}

/// Where a postcode in its stored form is, in degrees north and east. `None` if the table doesn't know.
pub fn place(conn: &mut Conn, postcode: &str) -> Result<Option<(f64, f64)>> {
    let degrees = (postcodes::latitude, postcodes::longitude);
    let found: Option<(Option<f64>, Option<f64>)> =
        postcodes::table.find(postcode).select(degrees).first(conn).optional()?;
    Ok(found.and_then(|(latitude, longitude)| latitude.zip(longitude)))
}

/// Adds postcodes. One that is there already gets the new values.
pub fn put(conn: &mut Conn, rows: &[PostcodeRow]) -> Result<()> {
    for rows in rows.chunks(AT_ONCE) {
        // The connection that stands for both databases has no upsert.
        per_backend!(&mut *conn, |inner| {
            diesel::insert_into(postcodes::table)
                .values(rows)
                .on_conflict(postcodes::postcode)
                .do_update()
                .set((
                    postcodes::local_authority_code.eq(excluded(postcodes::local_authority_code)),
                    postcodes::latitude.eq(excluded(postcodes::latitude)),
                    postcodes::longitude.eq(excluded(postcodes::longitude)),
                    postcodes::country.eq(excluded(postcodes::country)),
                    postcodes::deprivation_rank.eq(excluded(postcodes::deprivation_rank)),
                ))
                .execute(inner)
        })?;
    }
    Ok(())
}
