//! Where the resources register their operations: as a worker's routes, or for the document.
//!
//! Every worker needs the routes, and only the document needs the schemas, whose making takes much longer.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

/// Takes operations.
pub enum Operations<'a, 'b> {
    /// Makes routes of them.
    Routes(&'a mut web::ServiceConfig),
    /// Collects what the document says of them.
    Document(&'a mut ServiceConfig<'b>),
}

impl Operations<'_, '_> {
    /// Registers an operation.
    pub fn service(&mut self, operation: impl HttpServiceFactory + OpenApiFactory + 'static) {
        match self {
            Self::Routes(routes) => {
                routes.service(operation);
            }
            Self::Document(document) => {
                document.service(operation);
            }
        }
    }
}
