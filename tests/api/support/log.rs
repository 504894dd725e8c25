//! What the server logs while a test listens. All tests of a run share one log.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl log::Log for Logger {
    /// The test's own HTTP client logs all that it sends.
    fn enabled(&self, line: &log::Metadata<'_>) -> bool {
        LISTENERS.load(Ordering::Relaxed) > 0 && !line.target().starts_with("ureq")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            lines().push(format!("{} {} {}", record.level(), record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Hears every line down to `debug`, as somebody who looks for a fault does, until it is dropped.
pub struct Listener(());

/// Begins to listen.
pub fn listen() -> Listener {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).expect("nobody else listens");
        log::set_max_level(log::LevelFilter::Debug);
    });
    LISTENERS.fetch_add(1, Ordering::Relaxed);
    Listener(())
}

impl Listener {
    /// The lines so far, of other tests too.
    pub fn lines(&self) -> Vec<String> {
        lines().clone()
    }

    /// The lines that have this in them.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        lines().iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if LISTENERS.fetch_sub(1, Ordering::Relaxed) == 1 {
            lines().clear();
        }
    }
}
