//! Runs every fuzz target on its seeds, so that the targets go on to work and what was found once stays mended. The
//! targets are in `fuzz/`; CONTRIBUTING says how to let them search.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::fs;

#[path = "../fuzz/src/lib.rs"]
mod targets;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for seed in fs::read_dir(folder).unwrap() {
        let path = seed.unwrap().path();
        // Shown if the target fails.
        println!("{}", path.display());
        target(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{name} has its seeds");
}

#[test]
fn tables_of_rosters_are_read_as_they_are_written() {
    replay("csv", targets::csv::run);
}

#[test]
fn cursors_are_read_as_they_are_written() {
    replay("cursor", targets::cursor::run);
}

#[test]
fn no_token_is_accepted_that_the_server_did_not_sign() {
    replay("jwt", targets::jwt::run);
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    replay("merge_patch", targets::merge_patch::run);
}

#[test]
fn rules_mean_the_same_in_every_form_split_and_moved() {
    replay("rrule", targets::rrule::run);
}
