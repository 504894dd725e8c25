//! Who may be offered a free seat.
//!
//! A member who has withdrawn the consent `service_delivery` couldn't accept a seat, and is told nothing. Neither is
//! somebody whose record was erased or merged into another. An offer to them would only keep the seat from the others who
//! wait. So they are passed over: they keep their turn, and get the next offer once they want support again.

/// The condition of bookings whose member may be offered a seat. It is the one place that says so: for whoever waits, for
/// an offer that stands, and for whether anybody waits at all.
macro_rules! may_be_offered {
    () => {{
        use crate::db::schema::{bookings, consent_states, members};
        use crate::members::consents::types::{ConsentDecision, ConsentPurpose};
        let record = members::table.filter(members::id.eq(bookings::member_id)).filter(crate::members::fate::is_live());
        let refuses = consent_states::table
            .filter(consent_states::member_id.eq(bookings::member_id))
            .filter(consent_states::purpose.eq(ConsentPurpose::ServiceDelivery))
            .filter(consent_states::decision.eq(ConsentDecision::Withdrawn));
        diesel::dsl::exists(record).and(diesel::dsl::not(diesel::dsl::exists(refuses)))
    }};
}
pub(super) use may_be_offered;
