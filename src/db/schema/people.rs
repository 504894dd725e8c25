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
        former_names -> DbJson,
        line_1 -> Nullable<Text>,
        line_2 -> Nullable<Text>,
        town -> Nullable<Text>,
        safe_contact -> DbJson,
        message_details -> Text,
        email_key -> Nullable<Text>,
        last_activity_on -> Nullable<Date>,
        sound_key -> Text,
        merged_into -> Nullable<DbUuid>,
        erased_at -> Nullable<DbTimestamp>,
        reminders -> Bool,
    }

    member_words (member_id, word) {
        member_id -> DbUuid,
        word -> Text,
        names -> Text,
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
        told_by -> Nullable<DbUuid>,
        form_version -> Nullable<Text>,
    }

    consent_states (member_id, purpose, partner_id) {
        member_id -> DbUuid,
        purpose -> Text,
        partner_id -> DbUuid,
        decision -> Text,
        consent_id -> DbUuid,
    }

    access_needs (member_id) {
        member_id -> DbUuid,
        asked_on -> Date,
        none -> Bool,
        needs -> DbJson,
        review_on -> Date,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    relationships (id) {
        id -> DbUuid,
        from_member -> DbUuid,
        to_member -> DbUuid,
        kind -> Text,
        may_book -> Bool,
        authority -> Text,
        evidence -> Text,
        status -> Text,
        starts_on -> Date,
        ends_on -> Nullable<Date>,
        created_by -> DbUuid,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    equality_answers (member_id) {
        member_id -> DbUuid,
        ethnicity -> Nullable<Text>,
        sex -> Nullable<Text>,
        gender_same_as_registered -> Nullable<Text>,
        sexual_orientation -> Nullable<Text>,
        religion -> Nullable<Text>,
        long_lasting_condition -> Nullable<Text>,
        activities_reduced -> Nullable<Text>,
        unpaid_carer -> Nullable<Text>,
        main_language -> Nullable<Text>,
        asked_on -> Date,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    safeguarding_flags (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        category -> Text,
        summary -> Text,
        raised_by -> DbUuid,
        raised_on -> Date,
        review_on -> Date,
        status -> Text,
        closed_reason -> Nullable<Text>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    possible_duplicates (a, b) {
        a -> DbUuid,
        b -> DbUuid,
        score -> Integer,
        because -> DbJson,
        status -> Text,
        decided_by -> Nullable<DbUuid>,
        decided_at -> Nullable<DbTimestamp>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }

    duplicate_searches (name) {
        name -> Text,
        changed_at -> DbTimestamp,
        last_id -> DbUuid,
    }

    member_merges (id) {
        id -> DbUuid,
        into_id -> DbUuid,
        from_id -> DbUuid,
        undo -> Nullable<DbJson>,
        done_by -> DbUuid,
        undone_at -> Nullable<DbTimestamp>,
        undone_by -> Nullable<DbUuid>,
        undo_until -> DbTimestamp,
        created_at -> DbTimestamp,
    }

    merged_contacts (member_id) {
        member_id -> DbUuid,
        email_key -> Nullable<Text>,
        phone -> Nullable<Text>,
        postcode -> Nullable<Text>,
        created_at -> DbTimestamp,
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
        created_by -> Nullable<DbUuid>,
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

    throttles (key) {
        key -> Text,
        tat -> DbTimestamp,
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
        cared_for -> Nullable<DbUuid>,
        visible_from -> Nullable<DbTimestamp>,
        priority -> Integer,
        tried_at -> Nullable<DbTimestamp>,
    }

    exports (id) {
        id -> DbUuid,
        member_id -> DbUuid,
        kind -> Text,
        requested_by -> DbUuid,
        received_on -> Date,
        how -> Nullable<Text>,
        due_on -> Date,
        extended -> Bool,
        reason -> Nullable<Text>,
        status -> Text,
        withheld -> DbJson,
        withheld_reason -> Nullable<Text>,
        document -> Nullable<Binary>,
        bytes -> Nullable<Integer>,
        sha256 -> Nullable<Text>,
        downloads -> Integer,
        attempts -> Integer,
        due_at -> DbTimestamp,
        ready_at -> Nullable<DbTimestamp>,
        expires_at -> Nullable<DbTimestamp>,
        version -> Integer,
        created_at -> DbTimestamp,
        updated_at -> DbTimestamp,
    }
}
