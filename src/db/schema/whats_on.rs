//! What's on, and who comes.

tables! {
    session_series (id) {
        id -> DbUuid,
        partner_id -> Nullable<DbUuid>,
        programme_id -> Nullable<DbUuid>,
        venue_id -> Nullable<DbUuid>,
        space_id -> Nullable<DbUuid>,
        external_id -> Nullable<Text>,
        title -> Text,
        description -> Nullable<Text>,
        pillar -> Text,
        topics -> DbJson,
        delivery -> Text,
        join_link -> Nullable<Text>,
        facilitator -> Nullable<Text>,
        accessibility -> DbJson,
        booking_policy -> Text,
        capacity -> Nullable<Integer>,
        online_capacity -> Nullable<Integer>,
        local_start -> Text,
        time_zone -> Text,
        duration_minutes -> Integer,
        recurrence -> Text,
        excluded -> DbJson,
        additional -> DbJson,
        ending -> DbJson,
        left_out -> DbJson,
        split_from -> Nullable<DbUuid>,
        particulars -> DbJson,
        publication -> Text,
        published -> Bool,
        text_bytes -> Integer,
        status -> Text,
        cancellation_reason -> Nullable<Text>,
        expanded_until -> Nullable<Date>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    sessions (id) {
        id -> DbUuid,
        series_id -> Nullable<DbUuid>,
        occurrence -> Nullable<Text>,
        partner_id -> Nullable<DbUuid>,
        venue_id -> Nullable<DbUuid>,
        space_id -> Nullable<DbUuid>,
        external_id -> Nullable<Text>,
        wording_id -> DbUuid,
        slot -> BigInt,
        delivery -> Text,
        join_link -> Nullable<Text>,
        booking_policy -> Text,
        capacity -> Nullable<Integer>,
        online_capacity -> Nullable<Integer>,
        seats_taken -> Integer,
        online_seats_taken -> Integer,
        waitlist_length -> Integer,
        local_start -> Text,
        time_zone -> Text,
        duration_minutes -> Integer,
        starts_at -> DbTimestamp,
        ends_at -> DbTimestamp,
        starts_on -> Date,
        publication -> Text,
        status -> Text,
        cancellation_reason -> Nullable<Text>,
        edited -> Bool,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
        offers_open -> Integer,
        online_waitlist_length -> Integer,
        week_hour -> Nullable<Integer>,
        has_room -> Bool,
        published -> Bool,
        reminded_for -> Nullable<DbTimestamp>,
    }

    wordings (id) {
        id -> DbUuid,
        title -> Text,
        description -> Nullable<Text>,
        topics -> DbJson,
        facilitator -> Nullable<Text>,
        accessibility -> DbJson,
        pillar -> Text,
        programme_id -> Nullable<DbUuid>,
        particulars -> DbJson,
    }

    listings (wording_id, slot) {
        wording_id -> DbUuid,
        slot -> BigInt,
        partner_id -> Nullable<DbUuid>,
        bytes -> Integer,
    }

    listing_words (wording_id, slot, word) {
        wording_id -> DbUuid,
        slot -> BigInt,
        word -> Text,
    }

    series_listings (wording_id, slot, published, series_id) {
        wording_id -> DbUuid,
        slot -> BigInt,
        published -> Bool,
        series_id -> DbUuid,
    }

    bookings (id) {
        id -> DbUuid,
        session_id -> DbUuid,
        member_id -> DbUuid,
        status -> Text,
        delivery -> Text,
        family -> Integer,
        carers -> Integer,
        seats -> Integer,
        reference -> Text,
        prescription_item_id -> Nullable<DbUuid>,
        cancellation_reason -> Nullable<Text>,
        booked_by -> DbUuid,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
        turn -> Nullable<Integer>,
        offer_expires_at -> Nullable<DbTimestamp>,
    }

    registers (session_id) {
        session_id -> DbUuid,
        beneficiaries -> Integer,
        family -> Integer,
        carers -> Integer,
        taken_by -> DbUuid,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    walk_ins (session_id, member_id) {
        session_id -> DbUuid,
        member_id -> DbUuid,
        created_at -> DbTimestamp,
    }
}
