//! Partners, their programmes, their API clients and what they upload.

tables! {
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
        consent_version -> Integer,
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
}
