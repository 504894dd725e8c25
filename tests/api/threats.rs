//! The threat model names the tests that stand for it.

use std::collections::BTreeSet;

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/threats.md")).unwrap();
    let files = std::fs::read_dir(format!("{root}/tests/api")).unwrap().map(|entry| entry.unwrap().path());
    let sources: Vec<String> =
        files.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let named = |row: &str| {
        let tests = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default().to_owned();
        tests.split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>()
    };
    let names: BTreeSet<String> = rows.flat_map(named).collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> =
        names.iter().filter(|name| !sources.iter().any(|source| source.contains(&format!("fn {name}()")))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
