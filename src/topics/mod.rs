//! Topics: what the short names in `topics` of sessions mean.
//!
//! Each topic has a name to show to people, and the needs that it helps with. Some exist from the start, with their
//! activity in [OpenActive's list](https://openactive.io/activity-list) (CC BY 4.0). An admin describes others. A topic
//! that sessions in the public list have and nobody has described is added by a [task](used), with a name made of its
//! code, so that a menu misses none.

pub mod handlers;
pub mod store;
pub mod types;
pub mod used;

crate::routes! {
    handlers: list_topics, get_topic, put_topic
}
