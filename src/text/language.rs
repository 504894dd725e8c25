//! Languages by their two letters in ISO 639-1, and by their tags.

use icu_locale_core::LanguageIdentifier;

/// All codes of ISO 639-1.
const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz \
                     ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii \
                     ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi \
                     mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw \
                     sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk \
                     ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Whether this is the code of a language, in small letters.
pub fn is_code(text: &str) -> bool {
    text.len() == 2 && CODES.split(' ').any(|code| code == text)
}

/// The tag of a language in the form in which it is kept, such as `en`, `zh-Hant` or `bfi`. `None` if it isn't one: its
/// language has two letters that stand for none, or not two or three letters.
///
/// Source: BCP 47, as Unicode's language identifiers narrow it.
pub fn tag(text: &str) -> Option<String> {
    let tag = LanguageIdentifier::try_from_str(text.trim()).ok()?;
    let language = tag.language.as_str();
    // The languages of three letters are thousands: their form alone is checked. `und` is no language.
    let is_known = if language.len() == 2 { is_code(language) } else { language.len() == 3 && language != "und" };
    is_known.then(|| tag.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_codes_and_tags() {
        let codes: std::collections::BTreeSet<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 183);
        assert!(codes.iter().all(|code| is_code(code)));
        for (text, kept) in [
            ("en", Some("en")),
            (" EN-gb ", Some("en-GB")),
            ("zh-hant", Some("zh-Hant")),
            ("bfi", Some("bfi")),
            ("ca-ES-valencia", Some("ca-ES-valencia")),
            ("und", None),
            ("xx", None),
            ("english", None),
            ("en-", None),
            ("", None),
        ] {
            assert_eq!(tag(text).as_deref(), kept, "{text}");
        }
        for text in ["", "e", "EN", "eng", "xx", "e ", " "] {
            assert!(!is_code(text), "{text}");
        }
    }
}
