//! Social prescriptions.

tables! {
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
}
