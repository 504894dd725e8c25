//! Which passwords can be set. The rules are checked only there: a password that was set before still logs in.
//!
//! Long and not easily guessed is all that helps: no kinds of characters are asked for, and no password runs out (NIST SP
//! 800-63B-4, OWASP ASVS 5.0 chapter 6.2).

use zxcvbn::{Score, zxcvbn};

use super::caller::Role;
use crate::error::{Error, Result};
use crate::text::password::normal;

/// The most characters of a password.
const MOST: usize = 128;
/// How many characters are looked at for how easily they are guessed. More would take long.
const LOOKED_AT: usize = 64;
/// What anybody would try here first.
const LOCAL: [&str; 4] = ["life rooms", "liferooms", "life", "liverpool"];

/// Why a password can't be set.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The fault's code in a problem document.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
}

/// The fewest characters of a password. Members keep theirs on their own devices and reach only their own record.
/// Everybody else's password is all that stands before the records of others.
pub fn least(role: Role) -> usize {
    match role {
        Role::Member => 8,
        Role::Admin | Role::Advisor | Role::Analyst | Role::Partner => 15,
    }
}

/// What is wrong with a new password; `None` if it can be set. `known` are the e-mail address and the names of its
/// owner. Characters are code points of the [normal] form.
///
/// Takes up to some milliseconds.
pub fn fault(password: &str, role: Role, known: &[String]) -> Option<Fault> {
    let password = normal(password);
    let (count, least) = (password.chars().count(), least(role));
    if count < least {
        return Some(Fault { code: "too_short", detail: format!("Must be at least {least} characters.") });
    }
    if count > MOST {
        return Some(Fault { code: "too_long", detail: format!("Must be at most {MOST} characters.") });
    }
    let guessed: String = password.chars().take(LOOKED_AT).collect();
    let words = known.iter().flat_map(|text| words_of(text));
    let inputs: Vec<&str> = words.filter(|word| word.chars().count() > 2).chain(LOCAL).collect();
    let is_common = zxcvbn(&guessed, &inputs).score() < Score::Two;
    is_common.then(|| Fault {
        code: "too_common",
        detail: "Is easily guessed. Choose something longer or less usual, for instance four words that don't belong \
                 together."
            .into(),
    })
}

/// The words of an address or a name, and all of it. Of an address also all that is before its @: the words of john.smith
/// are short, each by itself.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let local = text.split('@').next().unwrap_or_default();
    text.split(|c: char| !c.is_alphanumeric()).chain([text, local])
}

/// Checks a new password, off the request threads. `pointer` is its place in the body.
///
/// # Errors
/// 422 if it can't be set.
pub async fn check(password: String, role: Role, known: Vec<String>, pointer: &'static str) -> Result<()> {
    let fault = actix_web::web::block(move || fault(&password, role, &known)).await.map_err(Error::blocking)?;
    match fault {
        None => Ok(()),
        Some(Fault { code, detail }) => Err(Error::rule(pointer, code, detail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str, role: Role) -> Option<&'static str> {
        let known = ["margaret.examplewood@example.org", "Margaret", "Examplewood"].map(str::to_owned);
        fault(password, role, &known).map(|fault| fault.code)
    }

    #[test]
    fn a_password_is_long_enough_for_its_role_and_not_easily_guessed() {
        let (eight, seven) = ("🌻🚲🎈🐢📚🎷⛵🍋", "🌻🚲🎈🐢📚🎷⛵");
        let (short, common) = (Some("too_short"), Some("too_common"));
        for (password, member, staff) in [
            ("paper boat under the lamp", None, None),
            ("sunshine reading", None, None),
            ("margaret1961", common, short),
            ("liverpool1", common, short),
            ("qwertyuiop12", common, short),
            ("aaaaaaaaaaaa", common, short),
            ("aaaaaaaaaaaaaaaaaaaaaa", common, common),
            ("margaretexamplewood", common, common),
            ("liferoomsliverpool", common, common),
            (seven, short, short),
            (eight, None, short),
            ("🌻🌻🌻🌻🌻🌻🌻🌻", common, short),
            ("passwordpassword", common, common),
        ] {
            assert_eq!(code(password, Role::Member), member, "{password} of a member");
            for role in [Role::Admin, Role::Advisor, Role::Analyst, Role::Partner] {
                assert_eq!(code(password, role), staff, "{password} of {role}");
            }
        }
    }

    #[test]
    fn an_address_and_the_part_before_its_at_are_easily_guessed() {
        let code =
            |password: &str, email: &str| fault(password, Role::Member, &[email.to_owned()]).map(|fault| fault.code);
        for (password, email) in [
            ("john.smith", "john.smith@example.org"),
            ("John.Smith", "john.smith@example.org"),
            ("john.smith1", "john.smith@example.org"),
            ("j.b-whitlock_61", "j.b-whitlock_61@example.org"),
            ("qx7.rk2.zp9", "qx7.rk2.zp9@example.org"),
            ("qx7.rk2.zp9@example.org", "qx7.rk2.zp9@example.org"),
        ] {
            assert_eq!(code(password, email), Some("too_common"), "{password}");
        }
        assert_eq!(code("qx7.rk2.zp9", "john.smith@example.org"), None);
    }

    #[test]
    fn characters_are_counted_in_composed_form_and_up_to_128() {
        let words = "paper boat under the lamp ".repeat(5);
        let of = |count: usize| words.chars().take(count).collect::<String>();
        assert_eq!(code(&of(128), Role::Admin), None);
        assert_eq!(code(&of(129), Role::Admin), Some("too_long"));
        assert_eq!(code("e\u{301}e\u{301}e\u{301}e\u{301}", Role::Member), Some("too_short"));
    }
}
