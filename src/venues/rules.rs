//! The local authorities that venues are in.

/// The local authorities of the Liverpool City Region, each with its GSS code.
///
/// Source: Office for National Statistics, register of geographic codes.
pub const LOCAL_AUTHORITIES: [(&str, &str); 6] = [
    ("Liverpool", "E08000012"),
    ("Sefton", "E08000014"),
    ("Knowsley", "E08000011"),
    ("St Helens", "E08000013"),
    ("Wirral", "E08000015"),
    ("Halton", "E06000006"),
];

/// The GSS code of a local authority, by its exact name in [`LOCAL_AUTHORITIES`].
pub fn local_authority_code(name: &str) -> Option<&'static str> {
    let mut authorities = LOCAL_AUTHORITIES.into_iter();
    authorities.find_map(|(known, code)| (known == name).then_some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_authorities_have_their_codes_by_exact_name() {
        assert_eq!(local_authority_code("Liverpool"), Some("E08000012"));
        assert_eq!(local_authority_code("Halton"), Some("E06000006"));
        for name in ["", "liverpool", "Liverpool ", "St. Helens", "Manchester"] {
            assert_eq!(local_authority_code(name), None, "{name}");
        }
    }
}
