//! The tables for diesel, with the SQL types that both databases share ([`crate::db::types`]).
//!
//! `migrations/` creates the tables. A test compares the columns in this file with both databases.

#![expect(missing_docs, reason = "diesel's macro makes items that take no comments")]

/// Declares tables whose columns have the SQL types of diesel and of this crate. All of them can be joined.
macro_rules! tables {
    ($($name:ident $key:tt $columns:tt)+) => {
        $(diesel::table! {
            use $crate::db::types::*;
            use diesel::sql_types::*;

            $name $key $columns
        })+
        diesel::allow_tables_to_appear_in_same_query!($($name),+);
    };
}

tables! {
    venues (id) {
        id -> DbUuid,
        slug -> Text,
        name -> Text,
        kind -> Text,
        line_1 -> Nullable<Text>,
        line_2 -> Nullable<Text>,
        town -> Nullable<Text>,
        county -> Nullable<Text>,
        postcode -> Nullable<Text>,
        latitude -> Nullable<Double>,
        longitude -> Nullable<Double>,
        local_authority -> Text,
        local_authority_code -> Text,
        uprn -> Nullable<Text>,
        accessibility -> DbJson,
        capacity -> Nullable<Integer>,
        opening_hours -> DbJson,
        status -> Text,
        status_from -> Nullable<Date>,
        status_until -> Nullable<Date>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    spaces (id) {
        id -> DbUuid,
        venue_id -> DbUuid,
        name -> Text,
        capacity -> Nullable<Integer>,
        kept_for -> DbJson,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    partners (id) {
        id -> DbUuid,
        slug -> Text,
        name -> Text,
        kind -> Text,
        charity_number -> Nullable<Text>,
        website -> Nullable<Text>,
        description -> Nullable<Text>,
        contact_name -> Nullable<Text>,
        contact_email -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        partnership_start -> Nullable<Date>,
        partnership_end -> Nullable<Date>,
        status -> Text,
        roster_version -> Integer,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    programmes (id) {
        id -> DbUuid,
        partner_id -> DbUuid,
        slug -> Text,
        name -> Text,
        description -> Nullable<Text>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    sites (id) {
        id -> DbUuid,
        slug -> Text,
        name -> Text,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    hostings (id) {
        id -> DbUuid,
        site_id -> DbUuid,
        venue_id -> DbUuid,
        partner_id -> Nullable<DbUuid>,
        starts_on -> Date,
        ends_on -> Nullable<Date>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    members (id) {
        id -> DbUuid,
        preferred_name -> Nullable<Text>,
        given_name -> Text,
        family_name -> Text,
        given_key -> Text,
        family_key -> Text,
        pronouns -> Nullable<Text>,
        date_of_birth -> Nullable<Date>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        postcode -> Nullable<Text>,
        local_authority -> Nullable<Text>,
        local_authority_code -> Nullable<Text>,
        nhs_number -> Nullable<Text>,
        gp_practice_code -> Nullable<Text>,
        roles -> DbJson,
        contact_preferences -> DbJson,
        emergency_contact -> Nullable<DbJson>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    users (id) {
        id -> DbUuid,
        email -> Text,
        password_hash -> Nullable<Text>,
        role -> Text,
        partner_id -> Nullable<DbUuid>,
        member_id -> Nullable<DbUuid>,
        disabled -> Bool,
        permissions -> DbJson,
        generation -> Integer,
        failed_logins -> Integer,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
        display_name -> Nullable<Text>,
        email_proven_at -> Nullable<DbTimestamp>,
        last_login_on -> Nullable<Date>,
    }

    logins (id) {
        id -> DbUuid,
        user_id -> DbUuid,
        nonce -> Binary,
        counter -> Integer,
        by_cookie -> Bool,
        client_name -> Nullable<Text>,
        network -> Nullable<Text>,
        rotated_at -> DbTimestamp,
        last_used_at -> DbTimestamp,
        expires_at -> DbTimestamp,
        ended_at -> Nullable<DbTimestamp>,
        ended_why -> Nullable<Text>,
        created_at -> DbTimestamp,
    }

    api_clients (id) {
        id -> DbUuid,
        partner_id -> DbUuid,
        client_id -> Text,
        name -> Text,
        secret_hash -> Text,
        scopes -> DbJson,
        generation -> Integer,
        revoked_at -> Nullable<DbTimestamp>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    consents (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        purpose -> Text,
        partner_id -> Nullable<DbUuid>,
        decision -> Text,
        evidence -> Text,
        recorded_by -> DbUuid,
        recorded_at -> DbTimestamp,
    }

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
    }

    prescriptions (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        origin -> Text,
        advisor_id -> Nullable<DbUuid>,
        site_id -> Nullable<DbUuid>,
        what_matters -> Nullable<Text>,
        status -> Text,
        status_reason -> Nullable<Text>,
        developed_on -> Nullable<Date>,
        review_on -> Nullable<Date>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    prescription_needs (prescription_id, domain) {
        prescription_id -> DbUuid,
        domain -> Text,
        position -> Integer,
        severity -> Nullable<Integer>,
        note -> Nullable<Text>,
    }

    prescription_items (id) {
        id -> DbUuid,
        prescription_id -> DbUuid,
        position -> Integer,
        need -> Nullable<Text>,
        kind -> Text,
        series_id -> Nullable<DbUuid>,
        session_id -> Nullable<DbUuid>,
        programme_id -> Nullable<DbUuid>,
        partner_id -> Nullable<DbUuid>,
        goal -> Nullable<Text>,
        note -> Nullable<Text>,
        status -> Text,
        reason -> Nullable<Text>,
        by_member -> Bool,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
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

    rosters (id) {
        id -> DbUuid,
        partner_id -> DbUuid,
        mode -> Text,
        status -> Text,
        posted_by -> DbUuid,
        counts -> DbJson,
        sessions -> DbJson,
        skipped -> DbJson,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    roster_entries (roster_id, position) {
        roster_id -> DbUuid,
        position -> Integer,
        external_id -> Nullable<Text>,
        line -> Nullable<Integer>,
        pointer -> Nullable<Text>,
        outcome -> Text,
        resource_id -> Nullable<DbUuid>,
        errors -> DbJson,
    }

    audit_events (id) {
        id -> DbUuid,
        at -> DbTimestamp,
        actor_kind -> Text,
        actor_id -> Nullable<DbUuid>,
        action -> Text,
        member_id -> Nullable<DbUuid>,
        resource_kind -> Text,
        resource_id -> Nullable<DbUuid>,
        fields -> DbJson,
        request_id -> Text,
        actor_role -> Nullable<Text>,
        partner_id -> Nullable<DbUuid>,
        purpose -> Nullable<Text>,
        on_behalf_of -> Nullable<DbUuid>,
    }

    audit_unsealed (first_id) {
        first_id -> DbUuid,
        event_ids -> Binary,
    }

    audit_seals (number) {
        number -> BigInt,
        sealed_at -> DbTimestamp,
        count -> Integer,
        event_ids -> Nullable<Binary>,
        previous -> Binary,
        root -> Binary,
        key_id -> Text,
        signature -> Binary,
        note -> Nullable<Text>,
    }

    idempotency_records (scope) {
        scope -> Text,
        body_hash -> Text,
        status -> Integer,
        location -> Nullable<Text>,
        etag -> Nullable<Text>,
        body -> Text,
        expires_at -> DbTimestamp,
        about -> DbJson,
    }

    throttles (key) {
        key -> Text,
        tat -> DbTimestamp,
    }

    leases (name) {
        name -> Text,
        holder -> DbUuid,
        expires_at -> DbTimestamp,
    }

    calendar_links (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        name -> Nullable<Text>,
        neutral_titles -> Bool,
        secret_hash -> Text,
        revoked_at -> Nullable<DbTimestamp>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
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

    jobs (id) {
        id -> DbUuid,
        kind -> Text,
        partner_id -> Nullable<DbUuid>,
        status -> Text,
        work -> DbJson,
        done -> Integer,
        total -> Integer,
        result -> Nullable<Text>,
        problem -> Nullable<Text>,
        attempts -> Integer,
        holder -> Nullable<DbUuid>,
        due_at -> DbTimestamp,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
        ended_at -> Nullable<DbTimestamp>,
    }

    job_payloads (job_id, position) {
        job_id -> DbUuid,
        position -> Integer,
        piece -> Binary,
    }

    report_areas (id) {
        id -> DbUuid,
        number -> Integer,
        slug -> Text,
        name -> Text,
        local_authorities -> DbJson,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    venue_words (venue_id, word) {
        venue_id -> DbUuid,
        word -> Text,
    }

    member_words (member_id, word) {
        member_id -> DbUuid,
        word -> Text,
    }

    one_time_links (id) {
        id -> DbUuid,
        purpose -> Text,
        user_id -> Nullable<DbUuid>,
        member_id -> Nullable<DbUuid>,
        email -> Nullable<Text>,
        form -> Nullable<DbJson>,
        created_by -> Nullable<DbUuid>,
        tries -> Integer,
        expires_at -> DbTimestamp,
        used_at -> Nullable<DbTimestamp>,
        revoked_at -> Nullable<DbTimestamp>,
        created_at -> DbTimestamp,
    }

    messages (id) {
        id -> DbUuid,
        kind -> Text,
        member_id -> Nullable<DbUuid>,
        user_id -> Nullable<DbUuid>,
        link_id -> Nullable<DbUuid>,
        partner_id -> Nullable<DbUuid>,
        address -> Nullable<Text>,
        channel -> Text,
        payload -> DbJson,
        digest_key -> Nullable<Text>,
        dedup_key -> Nullable<Text>,
        status -> Text,
        why -> Nullable<Text>,
        attempts -> Integer,
        due_at -> DbTimestamp,
        expires_at -> Nullable<DbTimestamp>,
        holder -> Nullable<DbUuid>,
        sent_at -> Nullable<DbTimestamp>,
        message_id -> Nullable<Text>,
        created_at -> DbTimestamp,
    }
}

diesel::joinable!(users -> partners (partner_id));
diesel::joinable!(logins -> users (user_id));
diesel::joinable!(programmes -> partners (partner_id));
diesel::joinable!(api_clients -> partners (partner_id));
diesel::joinable!(session_series -> partners (partner_id));
diesel::joinable!(session_series -> programmes (programme_id));
diesel::joinable!(session_series -> venues (venue_id));
diesel::joinable!(session_series -> spaces (space_id));
diesel::joinable!(sessions -> session_series (series_id));
diesel::joinable!(sessions -> partners (partner_id));
diesel::joinable!(sessions -> wordings (wording_id));
diesel::joinable!(wordings -> programmes (programme_id));
diesel::joinable!(listings -> wordings (wording_id));
diesel::joinable!(sessions -> venues (venue_id));
diesel::joinable!(sessions -> spaces (space_id));
diesel::joinable!(prescription_items -> prescriptions (prescription_id));
diesel::joinable!(bookings -> sessions (session_id));
diesel::joinable!(bookings -> members (member_id));
diesel::joinable!(walk_ins -> members (member_id));
