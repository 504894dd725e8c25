//! Builds the actix app. The server and the tests use the same builder.

use std::sync::LazyLock;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, web};
use utoipa::openapi::OpenApi as Document;
use utoipa_actix_web::AppExt;

use crate::http::coding::Fixed;
use crate::http::fallback::{self, Routes};
use crate::http::guard::guard;
use crate::http::operations::Operations;
use crate::http::state::{Hooks, State};
use crate::openapi::Published;
use crate::sessions::bookings::aside;
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting::{self, Taker};

/// The parts that every worker's app is built from.
#[derive(Clone)]
pub struct Parts {
    state: Data<State>,
    routes: Data<Routes>,
}

impl Parts {
    /// Prepares the parts that all workers share.
    pub fn new(state: State) -> Self {
        Self { state: Data::new(state), routes: MADE.routes.clone() }
    }
}

/// Registers every resource's routes.
pub fn configure(config: &mut Operations) {
    // The router tries the routes in this order, so the most used routes come first.
    crate::sessions::configure(config);
    crate::login::configure(config);
    crate::members::configure(config);
    crate::prescriptions::configure(config);
    crate::venues::configure(config);
    crate::sites::configure(config);
    crate::partners::configure(config);
    crate::topics::configure(config);
    crate::rosters::configure(config);
    crate::jobs::configure(config);
    crate::users::configure(config);
    crate::accounts::configure(config);
    crate::erasures::configure(config);
    crate::mail::configure(config);
    crate::exports::configure(config);
    crate::reports::configure(config);
    crate::calendars::configure(config);
    crate::service::configure(config);
}

/// The functions of higher modules that lower modules call.
pub const HOOKS: Hooks = Hooks {
    shared_with: crate::members::sharing::shared_with,
    cared_for: crate::members::relationships::booking::cared_for,
    partner_changed: |conn, context, id| waiting::follow_taker(conn, Taker::Partner(id), terms(context)),
    may_be_offered_changed: |conn, context, id| waiting::follow_member(conn, id, terms(context)),
    settle_sessions: |conn, context, ids| aside::settle(conn, ids, terms(context)),
    set_bookings_aside: |conn, context, ids| aside::set_aside(conn, ids, terms(context)),
    put_bookings_back: |conn, _, rows| aside::put_back(conn, rows),
    document_json: || &MADE.json,
    document_yaml: || &MADE.yaml,
    vocabularies: || &MADE.vocabularies,
};

/// The OpenAPI document as the handlers and types describe it. It takes many times the memory of its text, so nobody
/// keeps it.
fn document() -> Document {
    let app = App::new().into_utoipa_app().configure(|config| configure(&mut Operations::Document(config)));
    crate::openapi::document(app.split_for_parts().1)
}

/// The published document as JSON: the bytes of `openapi/openapi.json`.
pub fn document_json() -> String {
    Published::of(&document()).json()
}

/// The published document as YAML.
pub fn document_yaml() -> String {
    Published::of(&document()).yaml()
}

/// What is made of the document when the server starts, so that no request waits for it.
struct Made {
    routes: Data<Routes>,
    json: Fixed,
    yaml: Fixed,
    vocabularies: Fixed,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let document = document();
    let routes = Data::new(Routes::of(&document).reading("/docs").reading("/account").reading("/examples/whats-on"));
    let published = Published::of(&document);
    drop(document);
    Made {
        routes,
        json: Fixed::new(published.json()),
        yaml: Fixed::new(published.yaml()),
        vocabularies: Fixed::new(published.vocabularies()),
    }
});

/// Builds the app of one worker.
pub fn build(
    parts: &Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .configure(|config| configure(&mut Operations::Routes(config)))
        .configure(crate::docs::configure)
        .configure(crate::examples::configure)
        .configure(crate::accounts::pages::configure)
        .default_service(web::to(fallback::answer))
        .app_data(parts.state.clone())
        .app_data(parts.routes.clone())
        .wrap(from_fn(guard))
}
