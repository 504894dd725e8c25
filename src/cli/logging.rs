//! Log lines on standard error: text for people, or JSON for machines.

use std::io::Write;

use super::Failure;

/// Starts logging: `RUST_LOG` (default `info`), `LIFE_ROOMS_LOG_FORMAT` (`text`, the default, or `json`).
///
/// # Errors
/// A sentence that names the setting that can't be understood.
pub(super) fn start() -> Result<(), Failure> {
    let mut builder = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"));
    match std::env::var("LIFE_ROOMS_LOG_FORMAT").as_deref() {
        Err(_) | Ok("" | "text") => {}
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
        Ok(other) => {
            return Err(Failure::usage(format!("LIFE_ROOMS_LOG_FORMAT must be text or json, not {other:?}")));
        }
    }
    builder.init();
    Ok(())
}
