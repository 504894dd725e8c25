//! Writes log lines to standard error: text for people, or JSON for machines.

use std::ffi::OsString;
use std::io::Write;

use super::Failure;
use super::settings::nearest;

/// The setting that chooses the format of log lines.
pub(super) const FORMAT: &str = "LIFE_ROOMS_LOG_FORMAT";

/// The log level if `RUST_LOG` isn't set.
const USUAL: &str = "info";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// The target that the program's own log lines begin with.
const OURS: &str = "life_rooms";

/// Starts logging: `RUST_LOG` (default `info`), `LIFE_ROOMS_LOG_FORMAT` (`text`, the default, or `json`).
///
/// # Errors
/// A sentence that names the wrong setting.
pub(super) fn start() -> Result<(), Failure> {
    let filter = read_filter(std::env::var_os("RUST_LOG")).map_err(Failure::usage)?;
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&filter);
    match std::env::var(FORMAT).as_deref() {
        Err(std::env::VarError::NotPresent) | Ok("" | "text") => {}
        Ok("json") => {
            builder.format(|out, record| {
                let line = serde_json::json!({
                    "at": out.timestamp_millis().to_string(),
                    "level": record.level().as_str(),
                    "target": record.target(),
                    "message": record.args().to_string(),
                });
                writeln!(out, "{line}")
            });
        }
        other => {
            let given = other.map_or_else(ToString::to_string, |text| format!("{text:?}"));
            return Err(Failure::usage(format!("{FORMAT} must be text or json, not {given}")));
        }
    }
    builder.init();
    for target in unknown(&filter, &known()) {
        log::warn!("RUST_LOG names {target}, and nothing in the program logs under this name");
    }
    Ok(())
}

/// The names that the program logs under: its own modules, and the crates that it is made of.
fn known() -> Vec<String> {
    let crates =
        include_str!("../../Cargo.lock").lines().filter_map(|line| line.strip_prefix("name = \"")?.split('"').next());
    let crates = crates.map(|name| name.replace('-', "_")).filter(|name| name != OURS);
    let modules = include_str!("../lib.rs").lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    crates.chain(modules.chain(["access"]).map(|module| format!("{OURS}::{module}"))).collect()
}

/// The targets of a filter that fit no known name. As in env_logger, the beginning of a name is enough.
fn unknown<'a>(filter: &'a str, known: &[String]) -> Vec<&'a str> {
    let targets = filter.split(',').filter_map(|part| part.split('=').next()).map(str::trim);
    let fits = |target: &str, name: &String| name.starts_with(target) || target.starts_with(&format!("{name}::"));
    targets.filter(|target| !is_level(target) && !known.iter().any(|name| fits(target, name))).collect()
}

/// Checks `RUST_LOG`: a level, or a list such as `info,life_rooms::access=warn`.
///
/// env_logger takes every unknown word for the name of a module, and then logs only that module. So a misspelt level
/// would leave the server without a log.
fn read_filter(setting: Option<OsString>) -> Result<String, String> {
    let text = setting.unwrap_or_default().into_string().map_err(|_| "RUST_LOG must be UTF-8 text".to_owned())?;
    if text.trim().is_empty() {
        return Ok(USUAL.to_owned());
    }
    let mut ours = false;
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = part.split_once('=').map_or((part, None), |(target, level)| (target, Some(level)));
        if level.is_some_and(|level| !is_level(level)) || !(is_level(target) && level.is_none() || is_target(target)) {
            return Err(not_understood(part));
        }
        ours |= level.is_none() && is_level(target) || target.split("::").next() == Some(OURS);
    }
    if ours { Ok(text) } else { Err(nothing_of_ours(&text)) }
}

fn is_level(text: &str) -> bool {
    LEVELS.contains(&text.to_ascii_lowercase().as_str())
}

/// A path of Rust modules.
fn is_target(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.split("::").all(word)
}

fn not_understood(part: &str) -> String {
    let levels = LEVELS.join(", ");
    format!("RUST_LOG must be one of {levels}, or a list like info,life_rooms::access=warn; {part:?} is neither")
}

fn nothing_of_ours(text: &str) -> String {
    let known = LEVELS.into_iter().chain([OURS]);
    let meant = nearest(text.split(['=', ':']).next().unwrap_or(text), known);
    let hint =
        meant.map_or_else(|| "begin it with a level, such as info".to_owned(), |name| format!("did you mean {name}?"));
    format!("RUST_LOG={text:?} would log nothing of life-rooms itself, not even errors: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        read_filter(Some(text.into()))
    }

    #[test]
    fn a_target_that_nothing_logs_under_is_told() {
        let known = known();
        let good = "info,life_rooms,life_rooms::access=warn,life_rooms::http::guard=off,actix=warn,diesel::pg=debug,";
        assert_eq!(unknown(good, &known), Vec::<&str>::new());
        assert_eq!(unknown("info, life_rooms::acess=warn,actixx=off,diesel", &known), ["life_rooms::acess", "actixx"]);
    }

    #[test]
    fn levels_and_lists_that_log_something_of_the_program_are_taken() {
        assert_eq!(read_filter(None).as_deref(), Ok("info"));
        assert_eq!(read(" ").as_deref(), Ok("info"));
        for text in [
            "off",
            "WARN",
            "debug",
            "info,life_rooms::access=warn",
            "life_rooms=debug,actix_server=info",
            "life_rooms",
            "warn, life_rooms::cli=trace,",
            "life_rooms=off",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_setting_that_leaves_the_server_without_a_log_is_refused_with_what_may_be_meant() {
        for text in ["%%%", "info,%%%", "info=", "=info", "life_rooms=loud", "info life_rooms", "a:b=info", "info/x"] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with("RUST_LOG must be one of off, error, warn, info, debug, trace"), "{told}");
        }
        for (text, hint) in [
            ("inof", "did you mean info?"),
            ("warning", "did you mean warn?"),
            ("life_room=debug", "did you mean life_rooms?"),
            ("actix_server=info", "begin it with a level, such as info"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains("would log nothing of life-rooms itself") && told.ends_with(hint), "{told}");
        }
    }
}
