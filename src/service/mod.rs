//! The service itself: its health, the OpenAPI document, and a page for each type of problem.

pub mod handlers;
pub mod problems;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::get_service);
    config.service(handlers::check_live);
    config.service(handlers::check_ready);
    config.service(handlers::get_document);
    config.service(handlers::get_document_as_yaml);
    config.service(problems::get_problem_page);
}
