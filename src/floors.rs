//! Tests that the sources follow the order of modules in `lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The modules with the numbers of their lines in `lib.rs`, from the ground up. The first 42 characters of a line name
/// its modules, separated by dots.
fn floors() -> BTreeMap<String, usize> {
    let doc = include_str!("lib.rs").lines().filter_map(|line| line.strip_prefix("//! "));
    let listed = doc.skip_while(|line| *line != "```text").skip(1).take_while(|line| *line != "```");
    let modules = |(floor, line): (usize, &'static str)| {
        let names: String = line.chars().take(42).collect();
        names.split('·').map(move |name| (name.trim().to_owned(), floor)).collect::<Vec<_>>()
    };
    listed.enumerate().flat_map(modules).collect()
}

/// A source file of the crate.
struct Source {
    /// The path below `src`, without its ending: `sessions/bookings/rules`.
    path: String,
    /// The lines of code; comments are left out.
    lines: Vec<(usize, String)>,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// How many modules deep the file's items are.
    fn depth(&self) -> usize {
        self.path.split('/').filter(|part| *part != "mod").count()
    }
}

fn sources() -> Vec<Source> {
    let mut folders = vec![PathBuf::from(ROOT)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&path));
            }
        }
    }
    found.retain(|source| !["lib", "main", "floors"].contains(&source.path.as_str()));
    found
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let below = path.strip_prefix(ROOT).unwrap().with_extension("");
    Source {
        path: below.display().to_string(),
        lines: code.map(|(number, line)| (number + 1, line.to_owned())).collect(),
    }
}

/// The modules of the crate's root that this line names: after `crate::`, or after enough `super::` to reach the root.
fn names_at_root(line: &str, depth: usize) -> Vec<String> {
    let first =
        |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut names: Vec<String> = line.split("crate::").skip(1).map(first).collect();
    let mut rest = line;
    while let Some(at) = rest.find("super::") {
        let mut levels = 0;
        rest = &rest[at..];
        while let Some(after) = rest.strip_prefix("super::") {
            levels += 1;
            rest = after;
        }
        // `super::*` in a test module names no module.
        names.extend(Some(first(rest)).filter(|name| levels >= depth && !name.is_empty()));
    }
    names
}

/// The module that defines each exported macro: using `crate::text_enum!` means using `db`.
fn macros(sources: &[Source]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for source in sources {
        for pair in source.lines.windows(2) {
            if let (Some(_), Some(rest)) = (pair[0].1.find("#[macro_export]"), pair[1].1.strip_prefix("macro_rules! "))
            {
                found.insert(rest.trim_end_matches(" {").to_owned(), source.module().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_order_lists_every_module_once() {
    let listed: Vec<String> = floors().into_keys().collect();
    let mut modules: Vec<String> = include_str!("lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    modules.sort();
    assert_eq!(listed, modules);
}

#[test]
fn a_module_uses_only_what_stands_below_it() {
    let (floors, sources) = (floors(), sources());
    let macros = macros(&sources);
    assert!(macros.contains_key("text_enum") && sources.len() > 100, "the sources are read");
    let mut wrong = Vec::new();
    for source in &sources {
        let own = floors[source.module()];
        for (number, line) in &source.lines {
            for name in names_at_root(line, source.depth()) {
                let used = macros.get(&name).unwrap_or(&name);
                if used == source.module() {
                    continue;
                }
                match floors.get(used) {
                    Some(floor) if *floor < own => {}
                    Some(_) => wrong.push(format!("{}.rs:{number}: {line}", source.path)),
                    // `crate::{a, b}` is refused, because this test can't see which modules it uses.
                    None if name.is_empty() => wrong.push(format!("{}.rs:{number}: {line}", source.path)),
                    None => {}
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these lines use a module that isn't below their own (see lib.rs):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn names_at_the_root_are_found() {
    let found = |line, depth| names_at_root(line, depth);
    assert_eq!(found("use crate::db::{Conn, Id};", 2), ["db"]);
    assert_eq!(found("let a = crate::a::b(crate::per_backend!(c));", 2), ["a", "per_backend"]);
    assert_eq!(found("use crate::{app, db};", 2), [""]);
    assert_eq!(found("use super::super::venues::store;", 2), ["venues"]);
    assert!(found("use super::store;", 2).is_empty() && found("use super::*;", 1).is_empty());
}

#[test]
fn every_kind_of_problem_is_made_somewhere() {
    use crate::error::Kind;
    use strum::IntoEnumIterator;
    let mut sources = sources();
    sources.retain(|source| source.path != "error/kind");
    let is_made = |kind: Kind| {
        let name = format!("Kind::{kind:?}");
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        let in_line = |line: &str| line.match_indices(&name).any(|(at, _)| ends(&line[at + name.len()..]));
        sources.iter().any(|source| source.lines.iter().any(|(_, line)| in_line(line)))
    };
    let idle: Vec<Kind> = Kind::iter().filter(|kind| !is_made(*kind)).collect();
    assert!(idle.is_empty(), "nothing makes {idle:?}");
}
