//! Buildings and the services in them.

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

    venue_words (venue_id, word) {
        venue_id -> DbUuid,
        word -> Text,
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

    postcodes (postcode) {
        postcode -> Text,
        local_authority_code -> Text,
        latitude -> Nullable<Double>,
        longitude -> Nullable<Double>,
        country -> Text,
        deprivation_rank -> Nullable<Integer>,
    }
}
