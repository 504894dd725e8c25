//! Erasing people, and looking through records that may no longer be needed.

tables! {
    erasures (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        origin -> Text,
        asked_by -> Nullable<DbUuid>,
        asked_on -> Date,
        due_on -> Date,
        status -> Text,
        reason -> Nullable<Text>,
        hold_until -> Nullable<Date>,
        released_at -> Nullable<DbTimestamp>,
        executed_at -> Nullable<DbTimestamp>,
        result -> Nullable<DbJson>,
        disk -> Nullable<Text>,
        logged -> Bool,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    retention_reviews (member_id) {
        member_id -> DbUuid,
        keep_until -> Date,
        reason -> Text,
        decided_by -> DbUuid,
        created_at -> DbTimestamp,
    }
}
