//! `life-rooms demo`, and the preparations of `serve --demo`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::{Config, Mail, Sender, Settings, Sink};
use crate::db::Location;
use crate::demo::{self, Outcome};
use crate::http::state::State;
use crate::seals::head;

/// The file of the demo's own database, in the current folder.
const FILE: &str = "life-rooms-demo.db";

/// Migrates a database and fills it.
pub(super) fn run(settings: &Settings) -> Result<(), Failure> {
    let (db, _) = database::open(settings)?;
    let filled = actix_web::rt::System::new().block_on(demo::fill(&db, Clock::system().now(), say));
    match filled? {
        Outcome::Filled => {
            println!(
                "The demo is ready. It has no accounts: make one with life-rooms user create, or run life-rooms serve --demo."
            );
            Ok(())
        }
        Outcome::HasMembers => Err(Failure::new(
            "the database has members already, and the demo is only for one without: give it another DATABASE_URL",
        )),
    }
}

fn say(text: &str) {
    eprintln!("demo: {text}");
}

/// The settings of `serve --demo`: its own database file with its keys beside it, whatever is given.
pub(super) fn settings(given: &Settings) -> Settings {
    if let Some(folder) = &given.key_dir {
        log::warn!("the demo has keys of its own, in {FILE}.keys; the folder {} is not used", folder.display());
    }
    Settings { database_url: format!("sqlite://{FILE}"), key_dir: None }
}

/// The settings of a server of the demo. It is used on this machine, so links and tokens name the address at which it is
/// reached. Its people are made up, so its mails can be read in the log. It shows the example pages.
pub(super) fn adapt(config: &mut Config, listening: SocketAddr) {
    config.shows_examples = true;
    let usual = Config::default();
    if config.public_url == usual.public_url {
        config.public_url = address(listening);
    }
    if config.front_end_url == usual.front_end_url {
        config.front_end_url.clone_from(&config.public_url);
    }
    config.mail.get_or_insert_with(|| {
        let sender = |address: &str| Sender { name: "Life Rooms (demo)".into(), address: address.into() };
        let (from, reply_to) = (sender("rooms@life-rooms.invalid"), sender("desk@life-rooms.invalid"));
        Mail { sink: Sink::Log, from, reply_to, per_minute: 60 }
    });
}

/// The URL at which a browser on this machine reaches the server. If the server listens on every address, this is the
/// loopback address.
pub(super) fn address(listening: SocketAddr) -> String {
    let own = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(own, listening.port()))
}

/// Fills the demo's own database once, and prints an account for each role.
pub(super) async fn prepare(state: &State, url: &str) -> Result<(), Failure> {
    // The accounts are made last. If they are missing, an earlier start didn't finish.
    demo::fill(&state.db, state.clock.now(), say).await?;
    println!("Accounts of the demo at {url} (their passwords are new at every start):");
    for account in demo::make_accounts(state).await? {
        println!("  {:<8} {:<22} {}", account.role.to_string(), account.email, account.password);
    }
    Ok(())
}

/// Removes the demo's own database if an earlier start was stopped before the database was complete. If there is no
/// database, somebody may have removed it to begin again: then the head of its audit goes too.
pub(super) fn clear_unfinished(location: &Location, key_dir: &Path) -> Result<(), Failure> {
    let Location::Sqlite(path) = location else { return Ok(()) };
    if Path::new(path).exists() {
        if demo::is_whole(location)? {
            return Ok(());
        }
        say("an earlier start was cut short: beginning again");
    }
    let files = ["", "-wal", "-shm"].map(|ending| PathBuf::from(format!("{path}{ending}")));
    for name in files.into_iter().chain([head::path(key_dir)]) {
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_reached_where_it_listens() {
        for (listening, reached) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("192.0.2.7:8080", "http://192.0.2.7:8080"),
        ] {
            assert_eq!(address(listening.parse().unwrap()), reached);
        }
    }
}
