//! The service itself: its health, the OpenAPI document, and a page for each type of problem.

pub mod handlers;
pub mod problems;

crate::routes! {
    handlers: get_service, check_live, check_ready, get_document, get_document_as_yaml;
    problems: get_problem_page
}
