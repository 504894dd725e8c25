//! The plan of erasing names every table and column of both databases.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use life_rooms::erasures::plan::{Becomes, TABLES};

use crate::parity::describe;
use crate::support::App;

/// Names of columns that hold the id of a member, or of their account.
const OF_PEOPLE: [&str; 6] = ["member_id", "user_id", "from_member", "to_member", "into_id", "from_id"];

/// What the plan says wrongly, or doesn't say, of the database of an app.
fn faults(app: &App) -> Vec<String> {
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut of_people = BTreeSet::new();
    for line in describe(&mut app.conn()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["column", name, ..] => {
                let (table, column) = name.split_once('.').unwrap();
                if OF_PEOPLE.contains(&column) {
                    of_people.insert(table.to_owned());
                }
                columns.entry(table.to_owned()).or_default().insert(column.to_owned());
            }
            ["foreign", "key", name, "members" | "users"] => {
                of_people.insert(name.split_once('.').unwrap().0.to_owned());
            }
            _ => {}
        }
    }
    let mut faults = Vec::new();
    for (table, there) in &columns {
        let named: Vec<Becomes> = TABLES.iter().filter(|one| one.name == table).map(|one| one.becomes).collect();
        if named.is_empty() {
            faults.push(format!("{table} is not in the plan"));
        }
        for becomes in named {
            match becomes {
                Becomes::OfNobody if of_people.contains(table) => {
                    faults.push(format!("{table} is of people: it refers to a member or an account"));
                }
                Becomes::Deleted | Becomes::OfNobody => {}
                Becomes::Emptied { set, kept } => {
                    let said: Vec<&str> = set.iter().map(|(column, _)| *column).chain(kept.iter().copied()).collect();
                    let all: BTreeSet<String> = said.iter().map(|column| (*column).to_owned()).collect();
                    assert_eq!(all.len(), said.len(), "{table} names a column twice");
                    faults.extend(there.difference(&all).map(|column| format!("{table}.{column} is not in the plan")));
                    faults.extend(all.difference(there).map(|column| format!("there is no {table}.{column}")));
                }
            }
        }
    }
    let known = |name: &str| columns.contains_key(name) || name.starts_with("__diesel");
    faults.extend(TABLES.iter().filter(|one| !known(one.name)).map(|one| format!("there is no table {}", one.name)));
    faults
}

#[test]
fn the_plan_names_every_table_and_every_column_that_stays() {
    assert_eq!(faults(&App::start()), Vec::<String>::new());
}

#[test]
fn a_new_table_or_column_that_is_not_in_the_plan_is_found() {
    let app = App::start();
    let (id, text) = if app.state.db.has_one_writer() { ("BLOB", "TEXT") } else { ("uuid", "text") };
    let new = format!(
        "CREATE TABLE diaries (id {id} PRIMARY KEY, member_id {id} REFERENCES members (id), words {text}); \
         ALTER TABLE prescriptions ADD COLUMN diary {text}; \
         ALTER TABLE wordings ADD COLUMN member_id {id}; \
         ALTER TABLE spaces ADD COLUMN keeper {id} REFERENCES users (id);"
    );
    app.conn().batch_execute(&new).unwrap();
    let expected = [
        "diaries is not in the plan",
        "prescriptions.diary is not in the plan",
        "spaces is of people: it refers to a member or an account",
        "wordings is of people: it refers to a member or an account",
    ];
    assert_eq!(faults(&app), expected);
}
