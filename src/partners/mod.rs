//! Partners: organisations that deliver sessions, with their programmes and API clients.
//!
//! - The public sees active partners, without their contacts; staff see all of them, and a partner sees itself.
//! - A partner that isn't active gets no tokens, and its live tokens are refused.
//! - How much a partner may have is bounded ([`quotas`]).
//! - Admins and the partner itself write its programmes. Only admins manage its API clients.

pub mod clients;
pub mod handlers;
pub mod programmes;
pub mod quotas;
pub mod store;
pub mod types;

crate::routes! {
    handlers: list_partners, get_partner, create_partner, change_partner;
    programmes::handlers: list_programmes, get_programme, create_programme, change_programme;
    clients::handlers: list_clients, create_client, get_client, revoke_client, rotate_client
}
