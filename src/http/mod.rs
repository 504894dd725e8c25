//! How requests are read and answered, the same for every resource.

pub mod address;
pub mod allowed;
pub mod answers;
pub mod body;
pub mod budget;
pub mod coding;
pub mod conditional;
pub mod connections;
pub mod context;
pub mod cors;
pub mod cursor;
pub mod extract;
pub mod fallback;
pub mod formats;
pub mod guard;
pub mod html;
pub mod idempotency;
pub mod json;
pub mod negotiation;
pub mod operations;
pub mod page;
pub mod patch;
pub mod prefer;
pub mod prelude;
pub mod query;
pub mod rates;
pub mod redirect;
pub mod reply;
pub mod rule;
pub mod schema;
pub mod sending;
pub mod shape;
pub mod state;
mod trace;
pub mod turn;

/// The function `configure` of a resource, which registers the routes of its handlers in this order.
#[macro_export]
macro_rules! routes {
    ($($($module:ident)::+: $($handler:ident),+);+) => {
        /// Registers the routes.
        pub fn configure(config: &mut $crate::http::operations::Operations) {
            $({
                use $($module)::+::{$($handler),+};
                $(config.service($handler);)+
            })+
        }
    };
}
