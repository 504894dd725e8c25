//! The scripts of `tests/curl` against the built binary: the main job as somebody outside runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection;
use life_rooms::db::conn;

/// A folder and an empty database for one script.
struct Ground {
    folder: PathBuf,
    database_url: String,
}

impl Ground {
    fn new() -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let folder = std::env::temp_dir().join(format!("life-rooms-journey-{name}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let database_url = match std::env::var("TEST_DATABASE_URL") {
            Ok(server) => schema(&server, &format!("journey_{name}")),
            Err(_) => format!("sqlite://{}", folder.join("journey.db").display()),
        };
        Self { folder, database_url }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An empty schema: unlike the other tests' it is not migrated, since the binary does that itself.
fn schema(server: &str, name: &str) -> String {
    let mut conn = conn::open_postgres(server).expect("the server answers");
    conn.batch_execute(&format!("CREATE SCHEMA {name}")).expect("a schema");
    let mark = if server.contains('?') { '&' } else { '?' };
    format!("{server}{mark}options=-csearch_path%3D{name}")
}

fn need(tool: &str) {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found, "this test needs {tool}: install it, for instance with `apt-get install {tool}`");
}

/// Runs a script, and fails with what it said.
fn run(script: &str) {
    need("bash");
    need("curl");
    need("jq");
    let ground = Ground::new();
    let output = Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/curl").join(script))
        .env("LIFE_ROOMS", env!("CARGO_BIN_EXE_life-rooms"))
        .env("DATABASE_URL", &ground.database_url)
        .env("LIFE_ROOMS_KEY_DIR", ground.folder.join("keys"))
        .env("TMPDIR", &ground.folder)
        // The time it may take is the release binary's.
        .env("DEMO_SECONDS", "600")
        .env_remove("BASE_URL")
        .env_remove("RUST_LOG")
        .output()
        .expect("bash runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}:\n{}{}", said(&output.stdout), said(&output.stderr));
}

#[test]
fn the_main_job_runs_from_an_empty_database_to_the_two_reports() {
    run("journey.sh");
}

#[test]
fn the_main_job_runs_as_the_readme_tells_it() {
    run("readme.sh");
}

#[test]
fn bad_input_is_refused_with_its_place_and_writes_nothing() {
    run("bad-input.sh");
}

#[test]
fn the_demo_data_gives_the_published_figures() {
    run("demo.sh");
}

#[test]
fn the_program_says_plainly_what_is_wrong_and_hides_a_password_as_it_is_typed() {
    run("program.sh");
}
