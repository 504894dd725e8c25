//! Log lines on standard error: text for people, or JSON for machines.

use std::io::Write;

/// Starts logging: `RUST_LOG` (default `info`), `LIFE_ROOMS_LOG_FORMAT` (`text` or `json`).
pub fn start() {
    let mut builder = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"));
    if std::env::var("LIFE_ROOMS_LOG_FORMAT").is_ok_and(|format| format == "json") {
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
    builder.init();
}
