//! The service itself: its health, the OpenAPI document, and a page for each type of problem.

pub mod handlers;
pub mod problems;
pub mod vocabularies;

crate::routes! {
    handlers: get_service, check_live, check_ready, get_document, get_document_as_yaml;
    vocabularies: list_vocabularies;
    problems: get_problem_page
}
