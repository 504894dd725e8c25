//! Settings that the environment names wrongly: told at the start, since they would be ignored without a word.

use clap::{Command, CommandFactory};

use super::Cli;

/// The beginning of every setting's name but one.
const PREFIX: &str = "LIFE_ROOMS_";
/// Names that are less alike than this are not taken for a slip of the hand.
const ALIKE: f64 = 0.5;

/// Warns of every variable that looks like a setting and is none, with the name that it may be meant for.
pub(super) fn warn_of_unknown() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for sentence in unknown(names, &known()) {
        log::warn!("{sentence}");
    }
}

/// Every setting: those of all commands, and the log's.
fn known() -> Vec<String> {
    let mut names = vec![super::logging::FORMAT.to_owned()];
    add(&Cli::command(), &mut names);
    names.sort();
    names.dedup();
    names
}

fn add(command: &Command, names: &mut Vec<String>) {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env()).filter_map(|name| name.to_str());
    names.extend(variables.map(str::to_owned));
    for below in command.get_subcommands() {
        add(below, names);
    }
}

fn unknown(names: impl Iterator<Item = String>, known: &[String]) -> Vec<String> {
    let looks_like_one = |name: &String| name.to_ascii_uppercase().starts_with(PREFIX) && !known.contains(name);
    let mut sentences: Vec<String> = names.filter(looks_like_one).map(|name| sentence(&name, known)).collect();
    sentences.sort();
    sentences
}

fn sentence(name: &str, known: &[String]) -> String {
    match nearest(&name.to_ascii_uppercase(), known.iter().map(String::as_str)) {
        Some(meant) => {
            format!("the environment variable {name} is not a setting and is ignored; did you mean {meant}?")
        }
        None => format!("the environment variable {name} is not a setting and is ignored; see life-rooms serve --help"),
    }
}

/// The known name that is most like this one, where any is like it.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // What all names begin with says nothing about which one is meant.
    let rest = |name: &'a str| name.strip_prefix(PREFIX).unwrap_or(name);
    let wanted = name.strip_prefix(PREFIX).unwrap_or(name);
    let ranked = known.map(|known| (strsim::normalized_damerau_levenshtein(wanted, rest(known)), known));
    let best = ranked.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(alike, _)| *alike >= ALIKE).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> Vec<String> {
        unknown(std::iter::once(name.to_owned()), &known())
    }

    #[test]
    fn a_misspelt_setting_is_told_with_the_one_it_is_meant_for() {
        for (wrong, meant) in [
            ("LIFE_ROOMS_BINDD", "LIFE_ROOMS_BIND"),
            ("LIFE_ROOMS_PUBLIC_ULR", "LIFE_ROOMS_PUBLIC_URL"),
            ("LIFE_ROOMS_WORKER", "LIFE_ROOMS_WORKERS"),
            ("LIFE_ROOMS_LOGFORMAT", "LIFE_ROOMS_LOG_FORMAT"),
            ("life_rooms_key_dir", "LIFE_ROOMS_KEY_DIR"),
            ("LIFE_ROOMS_REPORT_SINCE", "LIFE_ROOMS_REPORTS_SINCE"),
        ] {
            let expected =
                format!("the environment variable {wrong} is not a setting and is ignored; did you mean {meant}?");
            assert_eq!(told(wrong), [expected]);
        }
        assert!(told("LIFE_ROOMS_XYZZY")[0].ends_with("see life-rooms serve --help"));
    }

    #[test]
    fn settings_and_what_is_another_programs_are_not_told() {
        let known = known();
        assert!(known.len() > 8, "{known:?}");
        for name in known.iter().map(String::as_str).chain(["PATH", "LIFE_ROOMS", "RUST_LOG", "ROOMS_BIND"]) {
            assert_eq!(told(name), Vec::<String>::new(), "{name}");
        }
    }
}
