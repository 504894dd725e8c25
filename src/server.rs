//! Binds the app to a socket, and stops it without losing a request.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;

use crate::app::{self, Parts};
use crate::http::connections::Connections;
use crate::http::state::State;
use crate::seals::sealing;

/// How long a stopping server still takes connections while `/health/ready` answers 503.
const NOTICE: Duration = Duration::from_millis(500);
/// How many seconds the running requests may then take.
const GRACE: u64 = 8;

/// How many connections the server has open. Further ones wait to be taken up.
const MOST_CONNECTIONS: usize = 4096;

/// Makes a server on this socket. The server runs when the result is awaited.
///
/// # Errors
/// When the socket can't be used.
pub fn start(state: State, socket: TcpListener, workers: usize) -> std::io::Result<Server> {
    let connections = Connections::new(&state.config.limits);
    let parts = Parts::new(state);
    let server = HttpServer::new(move || app::build(&parts))
        // A long answer is sent in pieces. Without this the last one waits for an acknowledgement: 40 ms each time.
        .tcp_nodelay(true)
        .on_connect(move |connection, kept| connections.accept(connection, kept))
        .workers(workers)
        .max_connections(MOST_CONNECTIONS.div_ceil(workers))
        .shutdown_timeout(GRACE)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(socket)?;
    Ok(server.run())
}

/// Runs a server until SIGTERM or SIGINT, and then until it has [stopped](run_until).
///
/// # Errors
/// When the server fails or signals can't be listened for.
pub async fn run_until_told(server: Server, state: State) -> std::io::Result<()> {
    run_until(told_to_stop(), server, state).await
}

/// Runs a server until `told` is done. The server then reports that it isn't ready, takes no more connections, lets the
/// running requests end, seals the audit events that they left, and stops.
///
/// # Errors
/// When the server or `told` fails.
pub async fn run_until(
    told: impl Future<Output = std::io::Result<()>>,
    server: Server,
    state: State,
) -> std::io::Result<()> {
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    told.await?;
    log::info!("stopping: finishing the requests in flight");
    state.stop.store(true, Ordering::Relaxed);
    actix_web::rt::time::sleep(NOTICE).await;
    handle.stop(true).await;
    let outcome = running.await.map_err(std::io::Error::other)?;
    sealing::seal_rest(&state).await;
    outcome
}

#[cfg(unix)]
async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    futures_util::future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    Ok(())
}

#[cfg(not(unix))]
async fn told_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
