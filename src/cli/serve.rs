//! `life-rooms serve`

use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use clap::Args;

use super::{Failure, database, demo};
use crate::auth::password::Hasher;
use crate::auth::store as accounts;
use crate::auth::throttle::Throttle;
use crate::auth::token::Tokens;
use crate::background;
use crate::clock::Clock;
use crate::config::{ServeSettings, Settings, Sink};
use crate::db::conn::checkpoint;
use crate::db::{Db, Location};
use crate::erasures::restored::erase_again;
use crate::http::budget::BodyBudget;
use crate::http::rates::Rates;
use crate::http::state::State;
use crate::http::turn::Turns;
use crate::login::restored;
use crate::seals::head::{self, Head};
use crate::server;

#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    serve: ServeSettings,
    /// Run on the demo's own database (life-rooms-demo.db in this folder), filled with example data
    #[arg(long)]
    demo: bool,
}

const LOG_ONLY_IN_DEMO: &str = "LIFE_ROOMS_MAIL_URL=log writes the links of real people into the log, so only --demo takes \
                                it; give a mail server, or file:FOLDER";

/// Runs the server until it is told to stop.
pub(super) fn run(command: &Serve) -> Result<(), Failure> {
    let mut config = command.serve.check().map_err(Failure::usage)?;
    if !command.demo && config.mail.as_ref().is_some_and(|mail| mail.sink == Sink::Log) {
        return Err(Failure::usage(LOG_ONLY_IN_DEMO.to_owned()));
    }
    let address = command.serve.address().map_err(Failure::usage)?;
    let settings = if command.demo { demo::settings(&command.settings) } else { command.settings.clone() };
    let location = settings.location().map_err(Failure::usage)?;
    let key_dir = settings.key_dir().map_err(Failure::usage)?;
    // The socket is bound first, so that a second server stops before it touches the database of the first.
    let socket = TcpListener::bind(address).map_err(|error| cannot_listen(address, &error))?;
    database::check(&location)?;
    if command.demo {
        demo::clear_unfinished(&location, &key_dir)?;
    }
    let applied = crate::db::migrate::prepare(&location).map_err(|error| database::cannot_use(&location, &error))?;
    for name in applied {
        log::info!("migrated the database to {name}");
    }
    let listening = socket.local_addr()?;
    if command.demo {
        demo::adapt(&mut config, listening);
    }
    let clock = Clock::system();
    let db = Db::open(&location)?;
    let newest_seal = head::read(&head::path(&key_dir))?;
    let state = State {
        db,
        throttle: Arc::new(Throttle::open(&key_dir, config.limits.login, &clock)?),
        rates: Arc::new(Rates::new(&config.limits, &clock)),
        clock,
        tokens: Arc::new(Tokens::open(&key_dir, config.public_url.clone())?),
        config: Arc::new(config),
        hasher: Arc::new(Hasher::new()?),
        rosters: Arc::new(BodyBudget::of_rosters()),
        bodies: Arc::new(BodyBudget::of_others()),
        plan_turns: Arc::new(Turns::of_rosters()),
        workbook_turns: Arc::new(Turns::of_workbooks()),
        long_answers: Arc::new(Turns::of_long_answers()),
        hooks: crate::app::HOOKS,
        stop: Arc::default(),
    };
    let workers = command.serve.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    actix_web::rt::System::new().block_on(async {
        if command.demo {
            demo::prepare(&state, &demo::address(listening)).await?;
        }
        // Before anybody is answered.
        if let Some(head) = newest_seal {
            end_restored_logins(&state, head).await?;
        }
        erase_again(&state).await?;
        let server = server::start(state.clone(), socket, workers)?;
        if !state.db.read_one(accounts::has_accounts).await? {
            log::info!("{}", how_to_make_the_first_account(&location));
        }
        log::info!("ready on http://{listening} with {}; documentation: http://{listening}/docs/", location.kind());
        background::start(&state, crate::tasks::all());
        Ok::<_, Failure>(server::run_until_told(server, state).await?)
    })?;
    if let Location::Sqlite(path) = &location {
        checkpoint(path)?;
    }
    Ok(())
}

/// Ends every login if an older database was restored.
async fn end_restored_logins(state: &State, head: Head) -> crate::error::Result<()> {
    let now = state.clock.now();
    if state.db.write(move |conn| restored::end_logins(conn, &head, now)).await? {
        log::warn!(
            "the database is older than audit-head.json: it was restored, or seals were cut off. Every login has ended. \
             When you know why, remove the file"
        );
    }
    Ok(())
}

/// Why the server can't listen on an address, and what to do about it.
fn cannot_listen(address: SocketAddr, error: &Error) -> Failure {
    let what_to_do = match error.kind() {
        ErrorKind::AddrInUse => {
            "; another program listens there. Stop it, or choose another address, for example --bind 127.0.0.1:8081 or \
             LIFE_ROOMS_BIND=127.0.0.1:8081"
        }
        _ => "; choose another address with --bind or LIFE_ROOMS_BIND",
    };
    Failure::new(format!("can't listen on {address}: {error}{what_to_do}"))
}

/// The command that makes the first account in this server's database, from any folder.
fn how_to_make_the_first_account(location: &Location) -> String {
    let url = location.without_password().replace('\'', "'\\''");
    format!(
        "there is no account yet; make the first one: DATABASE_URL='{url}' life-rooms user create --email \
         you@example.org --role admin"
    )
}
