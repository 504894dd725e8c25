//! The ceiling of the benchmarks: the same bytes from memory, through the same middleware, as fast as this HTTP stack
//! can be without a database, checks or rules.
//!
//! `ceiling SESSION PAGE BOOKING` reads the three bodies from files and says where it listens.

use std::net::TcpListener;

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{Bytes, Data, get, post};
use actix_web::{App, HttpResponse, HttpServer};
use life_rooms::http::guard::guard;

struct Bodies {
    session: Bytes,
    page: Bytes,
    booking: Bytes,
}

fn json(mut answer: actix_web::HttpResponseBuilder, body: &Bytes) -> HttpResponse {
    answer
        .insert_header((header::ETAG, "\"1-0\""))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .insert_header((header::VARY, "Authorization"))
        .content_type("application/json")
        .body(body.clone())
}

async fn session(bodies: Data<Bodies>) -> HttpResponse {
    json(HttpResponse::Ok(), &bodies.session)
}

async fn page(bodies: Data<Bodies>) -> HttpResponse {
    json(HttpResponse::Ok(), &bodies.page)
}

async fn booking(bodies: Data<Bodies>, _: Bytes) -> HttpResponse {
    json(HttpResponse::Created(), &bodies.booking)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init();
    let [session_file, page_file, booking_file] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| std::io::Error::other("usage: ceiling SESSION PAGE BOOKING"))?;
    let read = |path: String| std::fs::read(path).map(Bytes::from);
    let bodies =
        Data::new(Bodies { session: read(session_file)?, page: read(page_file)?, booking: read(booking_file)? });
    let socket = TcpListener::bind("127.0.0.1:0")?;
    println!("ready on http://{} ", socket.local_addr()?);
    HttpServer::new(move || {
        App::new()
            .app_data(bodies.clone())
            .route("/v1/sessions", get().to(page))
            .route("/v1/sessions/{id}", get().to(session))
            .route("/v1/sessions/{id}/bookings", post().to(booking))
            .wrap(from_fn(guard))
    })
    .tcp_nodelay(true)
    .listen(socket)?
    .run()
    .await
}
