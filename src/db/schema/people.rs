//! People: members, what belongs to their records, and accounts.

tables! {
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

    member_words (member_id, word) {
        member_id -> DbUuid,
        word -> Text,
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

    throttles (key) {
        key -> Text,
        tat -> DbTimestamp,
    }
}
