//! Warns at the start of misspelt settings in the environment, which would otherwise be ignored silently.

use clap::{Command, CommandFactory};

use super::Cli;

/// The prefix of every setting except `DATABASE_URL`.
const PREFIX: &str = "LIFE_ROOMS_";
/// How alike two names must be for one to be a likely misspelling of the other.
const ALIKE: f64 = 0.5;

/// Warns of every environment variable that looks like a setting but isn't one, and names the likely setting.
pub(super) fn warn_of_unknown() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for sentence in unknown(names, &known()) {
        log::warn!("{sentence}");
    }
}

/// The names of all settings: those of the commands and those of the log.
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

/// The known name that is most like this one; `None` if none is like it.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The prefix that all names share isn't compared.
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
