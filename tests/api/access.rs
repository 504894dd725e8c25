//! Who may call what: every operation of the document, by everybody who may and everybody who may not.

use life_rooms::auth::caller::Scope;
use strum::IntoEnumIterator;

use crate::openapi::{document, operations};
use crate::support::{App, Client};

/// For each operation the roles that may call it: `a`dmin, a`d`visor, a`n`alyst, `m`ember, `p`artner; `*` is
/// everybody, with a token or without. A new operation fails the test until it stands here.
const MAY: &[(&str, &str)] = &[
    ("login", "*"),
    ("issue_client_token", "*"),
    ("get_keys", "*"),
    ("get_server_metadata", "*"),
    ("get_me", "adnmp"),
    ("change_my_password", "adnm"),
    ("get_problem_page", "*"),
    ("check_live", "*"),
    ("check_ready", "*"),
    ("get_document", "*"),
    ("get_document_as_yaml", "*"),
    ("get_venue", "*"),
    ("list_venues", "*"),
    ("create_venue", "a"),
    ("change_venue", "a"),
    ("delete_venue", "a"),
];

fn roles(operation: &str) -> &'static str {
    let found = MAY.iter().find(|(name, _)| *name == operation);
    found.unwrap_or_else(|| panic!("say in tests/api/access.rs who may call {operation}")).1
}

/// One client of each role; the member and the partner are made for the purpose.
pub struct People {
    clients: Vec<(char, Client)>,
    anonymous: Client,
    without_scopes: Client,
}

impl People {
    pub fn new(app: &App) -> Self {
        let partner = crate::support::partner_row(app, "somebodys-partner");
        let member = crate::support::member_row(app, "Some", "Body");
        let scopes: Vec<Scope> = Scope::iter().collect();
        Self {
            clients: vec![
                ('a', app.admin()),
                ('d', app.advisor()),
                ('n', app.analyst()),
                ('m', app.member(&member)),
                ('p', app.partner_client(&partner, &scopes)),
            ],
            anonymous: app.anonymous(),
            without_scopes: app.partner_client(&partner, &[]),
        }
    }

    /// Any client that may call this operation.
    pub fn somebody_who_may(&self, operation: &str) -> Client {
        let roles = roles(operation);
        match self.clients.iter().find(|(role, _)| roles.contains(*role)) {
            Some((_, client)) => client.clone(),
            None => self.anonymous.clone(),
        }
    }
}

fn concrete(path: &str) -> String {
    let parts =
        path.split('/').map(|part| if part.starts_with('{') { "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_refuses_whoever_may_not_call_it_before_it_looks_anything_up() {
    let app = App::start();
    let people = People::new(&app);
    for (method, path, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap();
        let may = roles(name);
        let send = |client: &Client| client.send(&method, &concrete(&path), &[], b"");
        if may == "*" {
            continue;
        }
        let refused = send(&people.anonymous);
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{name}");
        refused.problem(401, "unauthenticated");
        for (role, client) in &people.clients {
            let answer = send(client);
            match may.contains(*role) {
                true => assert!(!matches!(answer.status, 401 | 403 | 500), "{name} by {role}: {}", answer.text),
                false => {
                    answer.problem(403, "forbidden");
                }
            }
        }
    }
}

#[test]
fn what_a_client_may_do_is_in_its_scopes() {
    let app = App::start();
    let people = People::new(&app);
    for (method, path, operation) in operations(&document()) {
        let ways = operation["security"].as_array().unwrap();
        let scopes = ways.iter().filter_map(|way| way["client"].as_array()).flatten().count();
        if scopes > 0 {
            let refused = people.without_scopes.send(&method, &concrete(&path), &[], b"");
            assert!(
                refused.header("www-authenticate").contains("insufficient_scope"),
                "{method} {path}: {}",
                refused.text
            );
            refused.problem(403, "insufficient-scope");
        }
    }
}

#[test]
fn the_document_says_who_may_as_the_code_does() {
    for (method, path, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap();
        let ways = operation["security"].as_array().unwrap();
        let open = ways.is_empty() || ways.iter().any(|way| way.as_object().is_some_and(|way| way.is_empty()));
        let at = format!("{method} {path} ({name})");
        if name == "issue_client_token" {
            continue; // Its credentials are the client's own, not a token.
        }
        assert_eq!(open, roles(name) == "*", "{at}");
        let clients = open || ways.iter().any(|way| way.get("client").is_some());
        assert_eq!(clients, open || roles(name).contains('p'), "{at}: clients");
    }
}

#[test]
fn bad_credentials_are_refused_on_public_operations_too() {
    let app = App::start();
    for (method, path, operation) in operations(&document()) {
        let offers_token = operation["security"].as_array().unwrap().iter().any(|way| way.get("bearer").is_some());
        if offers_token {
            app.with_token("no.such.token").send(&method, &concrete(&path), &[], b"").problem(401, "unauthenticated");
        }
    }
}
