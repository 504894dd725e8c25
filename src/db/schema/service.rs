//! What the service keeps about its own work.

tables! {
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

    leases (name) {
        name -> Text,
        holder -> DbUuid,
        expires_at -> DbTimestamp,
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

    topics (id) {
        id -> DbUuid,
        code -> Text,
        label -> Text,
        description -> Nullable<Text>,
        openactive_activity -> Nullable<Text>,
        openactive_label -> Nullable<Text>,
        needs -> DbJson,
        made -> Bool,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
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
}
