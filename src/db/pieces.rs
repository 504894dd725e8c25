//! The size of what is deleted in one transaction, where rows have megabytes.

diesel::define_sql_function! {
    /// How many bytes a text has. Both databases know it without reading the text.
    fn octet_length(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Integer>;
}

/// The most bytes of a piece. Others wait to write for some 60 ms while so many are deleted.
const MOST_BYTES: i64 = 8 * 1024 * 1024;

/// The first of these rows, each with its bytes, that are deleted in one transaction. At least one, however large it is.
pub fn piece<Key>(rows: Vec<(Key, i64)>) -> Vec<Key> {
    let mut bytes = 0;
    let fits = rows.into_iter().enumerate().take_while(|(index, (_, size))| {
        bytes += size;
        *index == 0 || bytes <= MOST_BYTES
    });
    fits.map(|(_, (key, _))| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_a_row_and_then_as_many_as_have_eight_megabytes_together() {
        let sizes = |sizes: &[i64]| piece(sizes.iter().copied().enumerate().collect());
        assert_eq!(sizes(&[]), [0_usize; 0]);
        assert_eq!(sizes(&[MOST_BYTES + 1, 1]), [0]);
        assert_eq!(sizes(&[MOST_BYTES - 1, 1, 1]), [0, 1]);
        assert_eq!(sizes(&[10, 20, 30]), [0, 1, 2]);
    }
}
