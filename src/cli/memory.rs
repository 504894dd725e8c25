//! How soon the allocator gives memory back to the system.
//!
//! mimalloc keeps what is freed for a second. So the server would take 60 MiB more while it applies a large roster. mimalloc
//! reads its settings before the program begins, and a library can't change them without unsafe code. So the program starts
//! itself again, as the same process, with the setting in its environment.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Milliseconds until freed memory is given back. Whoever sets it decides.
const DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// Starts the program again with memory given back at once, unless the delay is set. Goes on if it can't be started: then
/// the server takes more memory.
pub fn give_back_at_once() {
    if std::env::var_os(DELAY).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if let Ok(program) = std::env::current_exe() {
        // Returns only if it fails.
        let _ = Command::new(program).arg0(name).args(arguments).env(DELAY, "0").exec();
    }
}
