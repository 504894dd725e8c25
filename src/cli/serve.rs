//! `life-rooms serve`

use std::net::TcpListener;
use std::sync::Arc;

use clap::Args;

use super::{Failure, database, demo};
use crate::auth::password::Hasher;
use crate::auth::throttle::Throttle;
use crate::auth::token::Tokens;
use crate::background;
use crate::clock::Clock;
use crate::config::{Config, ServeSettings, Settings};
use crate::db::conn::checkpoint;
use crate::db::{Db, Location};
use crate::http::budget::BodyBudget;
use crate::http::rates::Rates;
use crate::http::state::State;
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

/// Runs the server until it is told to stop.
pub(super) fn run(command: &Serve) -> Result<(), Failure> {
    let mut config = command.serve.check().map_err(Failure::usage)?;
    let address = command.serve.address().map_err(Failure::usage)?;
    let settings = if command.demo { demo::settings() } else { command.settings.clone() };
    let location = settings.location().map_err(Failure::usage)?;
    let key_dir = settings.key_dir().map_err(Failure::usage)?;
    // The socket is bound first, so that a second server stops before it touches the database of the first.
    let socket = TcpListener::bind(address).map_err(|e| Failure::new(format!("can't listen on {address}: {e}")))?;
    database::check(&location)?;
    if command.demo {
        demo::clear_unfinished(&location)?;
    }
    let applied = crate::db::migrate::run(&location).map_err(|error| database::cannot_use(&location, &error))?;
    for name in applied {
        log::info!("migrated the database to {name}");
    }
    let listening = socket.local_addr()?;
    if command.demo && config.public_url == Config::default().public_url {
        // The demo is used on this machine, so calendar links and tokens name the address at which it is reached.
        config.public_url = demo::address(listening);
    }
    let clock = Clock::system();
    let state = State {
        db: Db::open(&location)?,
        throttle: Arc::new(Throttle::open(&key_dir, config.limits.login, &clock)?),
        rates: Arc::new(Rates::new(&config.limits, &clock)),
        clock,
        tokens: Arc::new(Tokens::open(&key_dir, config.public_url.clone())?),
        config: Arc::new(config),
        hasher: Arc::new(Hasher::new()?),
        rosters: Arc::new(BodyBudget::of_rosters()),
        bodies: Arc::new(BodyBudget::of_others()),
        plan_turns: Arc::default(),
        hooks: crate::app::HOOKS,
        stop: Arc::default(),
    };
    let workers = command.serve.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    actix_web::rt::System::new().block_on(async {
        if command.demo {
            demo::prepare(&state, &demo::address(listening)).await?;
        }
        let server = server::start(state.clone(), socket, workers)?;
        log::info!(
            "ready on http://{listening} with {}; documentation: http://{listening}/docs/; first account: \
             life-rooms user create --email you@example.org --role admin --password-stdin",
            location.kind()
        );
        background::start(&state, crate::tasks::all());
        Ok::<_, Failure>(server::run_until_told(server, state).await?)
    })?;
    if let Location::Sqlite(path) = &location {
        checkpoint(path)?;
    }
    Ok(())
}
