//! What happens to the sessions at a venue that is closed.
//!
//! - The answer to a change of a venue lists the sessions that the venue no longer takes. These are scheduled, haven't
//!   begun, aren't only online, and are on a day when the venue [is closed](crate::venues::closures). They stand
//!   unless `sessions=cancel` calls them off.
//! - In both cases they take no new bookings of people who would come.
//! - Changing a venue is here and not in [`venues`](crate::venues), because sessions depend on venues and never the
//!   other way round.

pub mod handlers;
pub mod store;
pub mod types;
