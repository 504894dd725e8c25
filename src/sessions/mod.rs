//! Series, sessions, bookings and registers.
//!
//! - A session is one occurrence of a series, or stands alone. It is `scheduled` or `cancelled`; a scheduled one reads
//!   as `completed` once it has ended. Cancelling takes its bookings with it, and there is no way back.
//! - What sessions say is stored once for each distinct wording ([`wordings`]). What they are found by is their listing
//!   ([`listings`]), a wording in a slot of the week.
//! - A space holds one session at a time, and a closed venue none ([`clashes`]). What moves keeps its id and its
//!   bookings; an event is recorded for each booking, and the answer lists them ([`notices`]).
//! - Whoever changes a session by hand marks it `edited`: changes of its series leave it alone from then on.
//! - Seats are the bookings' to count; a capacity below the seats that are taken is refused, by the database itself.
//! - What is published is for everybody while its partner is active, a draft for staff and the own partner, and what is
//!   unlisted, or of a partner that isn't active, also for members with a booking or a prescription item for it
//!   ([`visibility`]). The join link is in one answer only ([`join_link`]).

pub mod activity;
pub mod affected;
pub mod bookings;
mod bulk;
pub mod cancellations;
pub mod change;
pub mod clashes;
pub mod closings;
pub mod facets;
mod growth;
pub mod handlers;
pub mod join_link;
mod kinds;
pub mod listings;
pub mod notices;
pub mod particulars;
pub mod recurrence;
pub mod references;
pub mod registers;
mod row;
pub mod rules;
pub mod search;
pub mod series;
pub mod series_listings;
pub mod staging;
pub mod store;
pub mod topics;
pub mod types;
pub mod view;
pub mod visibility;
pub mod wordings;

crate::routes! {
    facets::handlers: count_by_facets;
    handlers: get_session, list_sessions, create_session;
    change: change_session;
    handlers: cancel_session;
    series::handlers: list_series, get_series, create_series;
    series::change: change_series;
    series::split: split_series;
    series::handlers: cancel_series;
    bookings::handlers: create_booking, list_session_bookings, get_booking, cancel_booking, accept_booking,
        decline_booking, list_member_bookings;
    registers::handlers: get_register, take_register, change_register;
    registers::sheets: get_register_page, get_register_as_csv;
    join_link::handlers: get_join_link;
    closings::handlers: change_venue;
    cancellations::handlers: cancel_partner_sessions, cancel_venue_sessions
}
