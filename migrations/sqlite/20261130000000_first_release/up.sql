-- The tables of the first release. Identifiers are 16 bytes. Instants are microseconds since 1970 (UTC). Dates, JSON
-- and enums are text. STRICT makes the database check the type of every column.

CREATE TABLE venues (
    id BLOB PRIMARY KEY,
    slug TEXT NOT NULL CONSTRAINT venues_slug_key UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('life_rooms_centre', 'library', 'one_stop_shop', 'childrens_centre', 'theatre', 'community_centre', 'health_centre', 'other')),
    line_1 TEXT,
    line_2 TEXT,
    town TEXT,
    county TEXT,
    postcode TEXT,
    latitude REAL,
    longitude REAL,
    local_authority TEXT NOT NULL,
    local_authority_code TEXT NOT NULL,
    uprn TEXT,
    accessibility TEXT NOT NULL,
    capacity INTEGER CHECK (capacity > 0),
    opening_hours TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'temporarily_closed', 'closed')),
    status_from TEXT,
    status_until TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX venues_name_index ON venues (name, id);
CREATE INDEX venues_local_authority_index ON venues (local_authority, name, id);
CREATE INDEX venues_place_index ON venues (latitude, longitude, id);

CREATE TABLE venue_words (
    venue_id BLOB NOT NULL REFERENCES venues (id),
    word TEXT NOT NULL,
    PRIMARY KEY (venue_id, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX venue_words_word_index ON venue_words (word, venue_id);

CREATE TABLE spaces (
    id BLOB PRIMARY KEY,
    venue_id BLOB NOT NULL REFERENCES venues (id),
    name TEXT NOT NULL,
    capacity INTEGER CHECK (capacity > 0),
    kept_for TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT spaces_venue_name_key UNIQUE (venue_id, name)
) STRICT;

CREATE TABLE partners (
    id BLOB PRIMARY KEY,
    slug TEXT NOT NULL CONSTRAINT partners_slug_key UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('charity', 'orchestra', 'theatre', 'library_service', 'housing', 'advice', 'university', 'local_authority', 'nhs_trust', 'community_group', 'other')),
    charity_number TEXT,
    website TEXT,
    description TEXT,
    contact_name TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    partnership_start TEXT,
    partnership_end TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
    roster_version INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX partners_name_index ON partners (name, id);

CREATE TABLE programmes (
    id BLOB PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partners (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT programmes_partner_slug_key UNIQUE (partner_id, slug)
) STRICT;

CREATE TABLE sites (
    id BLOB PRIMARY KEY,
    slug TEXT NOT NULL CONSTRAINT sites_slug_key UNIQUE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE hostings (
    id BLOB PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES sites (id),
    venue_id BLOB NOT NULL REFERENCES venues (id),
    partner_id BLOB REFERENCES partners (id),
    starts_on TEXT NOT NULL,
    ends_on TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (ends_on IS NULL OR ends_on >= starts_on)
) STRICT;
CREATE INDEX hostings_site_index ON hostings (site_id, starts_on);
CREATE INDEX hostings_venue_index ON hostings (venue_id, starts_on);
CREATE INDEX hostings_partner_index ON hostings (partner_id);

CREATE TABLE members (
    id BLOB PRIMARY KEY,
    preferred_name TEXT,
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    given_key TEXT NOT NULL,
    family_key TEXT NOT NULL,
    pronouns TEXT,
    date_of_birth TEXT,
    email TEXT,
    phone TEXT,
    postcode TEXT,
    local_authority TEXT,
    local_authority_code TEXT,
    nhs_number TEXT CONSTRAINT members_nhs_number_key UNIQUE,
    gp_practice_code TEXT,
    roles TEXT NOT NULL,
    contact_preferences TEXT NOT NULL,
    emergency_contact TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX members_family_key_index ON members (family_key, given_key, id);
CREATE INDEX members_date_of_birth_index ON members (date_of_birth);
CREATE INDEX members_postcode_index ON members (postcode);
CREATE INDEX members_phone_index ON members (phone);

-- The words that a member is found by.
CREATE TABLE member_words (
    member_id BLOB NOT NULL REFERENCES members (id),
    word TEXT NOT NULL,
    PRIMARY KEY (member_id, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_words_word_index ON member_words (word, member_id);

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash TEXT,
    role TEXT NOT NULL CHECK (role IN ('admin', 'advisor', 'analyst', 'member', 'partner')),
    partner_id BLOB REFERENCES partners (id),
    member_id BLOB CONSTRAINT users_member_key UNIQUE REFERENCES members (id),
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    permissions TEXT NOT NULL,
    generation INTEGER NOT NULL,
    failed_logins INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((role = 'partner') = (partner_id IS NOT NULL)),
    CHECK ((role = 'member') = (member_id IS NOT NULL))
) STRICT;
CREATE INDEX users_partner_index ON users (partner_id);

-- A login is one signed-in device: one family of refresh tokens. Only the newest token of a family counts, so the number
-- of the newest is enough to know every older one. expires_at is when the login can no longer be used, whatever happens.
CREATE TABLE logins (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    nonce BLOB NOT NULL,
    counter INTEGER NOT NULL CHECK (counter > 0),
    by_cookie INTEGER NOT NULL CHECK (by_cookie IN (0, 1)),
    client_name TEXT,
    network TEXT,
    rotated_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_why TEXT CHECK (ended_why IN ('logout', 'logout_all', 'reuse', 'password', 'email', 'disabled', 'changed', 'evicted', 'expired')),
    created_at INTEGER NOT NULL,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) STRICT;
CREATE INDEX logins_user_index ON logins (user_id, ended_at, id);
CREATE INDEX logins_network_index ON logins (user_id, network, last_used_at);
CREATE INDEX logins_expires_index ON logins (expires_at);

CREATE TABLE api_clients (
    id BLOB PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partners (id),
    client_id TEXT NOT NULL CONSTRAINT api_clients_client_id_key UNIQUE,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    generation INTEGER NOT NULL,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_clients_partner_index ON api_clients (partner_id, id);

CREATE TABLE consents (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('service_delivery', 'share_with_partner', 'share_with_gp', 'contact_email', 'contact_sms', 'contact_post', 'research')),
    partner_id BLOB REFERENCES partners (id),
    decision TEXT NOT NULL CHECK (decision IN ('given', 'withdrawn')),
    evidence TEXT NOT NULL,
    recorded_by BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    CHECK ((purpose = 'share_with_partner') = (partner_id IS NOT NULL))
) STRICT;
CREATE INDEX consents_member_index ON consents (member_id, purpose, partner_id, recorded_at, id);
CREATE INDEX consents_partner_index ON consents (partner_id);

CREATE TABLE session_series (
    id BLOB PRIMARY KEY,
    partner_id BLOB REFERENCES partners (id),
    programme_id BLOB REFERENCES programmes (id),
    venue_id BLOB REFERENCES venues (id),
    space_id BLOB REFERENCES spaces (id),
    external_id TEXT,
    title TEXT NOT NULL,
    description TEXT,
    pillar TEXT NOT NULL CHECK (pillar IN ('learning', 'social_prescribing', 'community')),
    topics TEXT NOT NULL,
    delivery TEXT NOT NULL CHECK (delivery IN ('in_person', 'online', 'hybrid')),
    join_link TEXT,
    facilitator TEXT,
    accessibility TEXT NOT NULL,
    booking_policy TEXT NOT NULL CHECK (booking_policy IN ('drop_in', 'bookable', 'referral_only')),
    capacity INTEGER CHECK (capacity > 0),
    online_capacity INTEGER CHECK (online_capacity > 0),
    local_start TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL CHECK (duration_minutes > 0),
    recurrence TEXT NOT NULL,
    excluded TEXT NOT NULL,
    additional TEXT NOT NULL,
    publication TEXT NOT NULL CHECK (publication IN ('draft', 'published', 'unlisted')),
    -- Whether the series is in the public list: computed, and in front in the indexes of lists.
    published INTEGER NOT NULL GENERATED ALWAYS AS (publication = 'published') VIRTUAL,
    -- How many bytes its texts have. The database computes this column, so that no statement can forget it.
    text_bytes INTEGER NOT NULL GENERATED ALWAYS AS
        (length(CAST(title AS BLOB)) + coalesce(length(CAST(description AS BLOB)), 0)
            + coalesce(length(CAST(facilitator AS BLOB)), 0) + length(CAST(topics AS BLOB))
            + length(CAST(accessibility AS BLOB))) VIRTUAL,
    status TEXT NOT NULL CHECK (status IN ('active', 'cancelled')),
    cancellation_reason TEXT,
    -- The local date through which the sessions of a series without an end exist. Null if the series' rule ends.
    expanded_until TEXT,
    -- Where a series ends before its rule does: the first local date that it doesn't have any more. "split": it was
    -- split there. "withdrawn": its partner's roster no longer names it. {}: it ends where its rule does, if ever.
    ending TEXT NOT NULL DEFAULT '{}',
    -- The occurrences for which no session could be made, each with the reason.
    left_out TEXT NOT NULL DEFAULT '[]',
    split_from BLOB REFERENCES session_series (id),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT session_series_partner_external_key UNIQUE (partner_id, external_id)
) STRICT;
CREATE INDEX session_series_published_index ON session_series (published, id);
CREATE INDEX session_series_partner_index ON session_series (partner_id, published, id);
CREATE INDEX session_series_text_index ON session_series (partner_id, text_bytes);
CREATE INDEX session_series_venue_index ON session_series (venue_id, published, id);
CREATE INDEX session_series_programme_index ON session_series (programme_id, published, id);
CREATE INDEX session_series_space_index ON session_series (space_id);
CREATE INDEX session_series_expanded_index ON session_series (status, expanded_until);
CREATE INDEX session_series_split_from_index ON session_series (split_from) WHERE split_from IS NOT NULL;

-- What sessions say. Each wording is stored once, and its id is a digest of it. Housekeeping deletes the wordings that
-- no session has.
CREATE TABLE wordings (
    id BLOB PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT,
    topics TEXT NOT NULL,
    facilitator TEXT,
    accessibility TEXT NOT NULL,
    pillar TEXT NOT NULL CHECK (pillar IN ('learning', 'social_prescribing', 'community')),
    programme_id BLOB REFERENCES programmes (id)
) STRICT;
CREATE INDEX wordings_programme_index ON wordings (programme_id);

-- A wording in a slot: how people take part, of which partner, at which venue, on which day of the week and at what time.
-- The slot is a digest of these. Sessions that have all of it in common share one listing.
CREATE TABLE listings (
    wording_id BLOB NOT NULL REFERENCES wordings (id),
    slot INTEGER NOT NULL,
    -- The partner of the slot, and the bytes of the wording. For counting how much text a partner has.
    partner_id BLOB REFERENCES partners (id),
    bytes INTEGER NOT NULL,
    PRIMARY KEY (wording_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX listings_partner_index ON listings (partner_id, wording_id, bytes);

-- The words that sessions are found by. They are written and deleted together with their listing. A word with a colon
-- stands for a field and never comes from a text, such as `:topic:reading`.
CREATE TABLE listing_words (
    wording_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (wording_id, slot, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_words_word_index ON listing_words (word, wording_id, slot);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    series_id BLOB REFERENCES session_series (id),
    -- Which occurrence of its series a session is: the local start that was stated for it last, with a + behind it if it
    -- is an additional time.
    occurrence TEXT CHECK ((occurrence IS NULL) = (series_id IS NULL)),
    partner_id BLOB REFERENCES partners (id),
    venue_id BLOB REFERENCES venues (id),
    space_id BLOB REFERENCES spaces (id),
    external_id TEXT,
    -- What the session says, and in which slot: together its listing.
    wording_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    delivery TEXT NOT NULL CHECK (delivery IN ('in_person', 'online', 'hybrid')),
    join_link TEXT,
    booking_policy TEXT NOT NULL CHECK (booking_policy IN ('drop_in', 'bookable', 'referral_only')),
    capacity INTEGER CHECK (capacity > 0),
    online_capacity INTEGER CHECK (online_capacity > 0),
    seats_taken INTEGER NOT NULL CHECK (seats_taken >= 0),
    online_seats_taken INTEGER NOT NULL CHECK (online_seats_taken >= 0),
    waitlist_length INTEGER NOT NULL CHECK (waitlist_length >= 0),
    local_start TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL CHECK (duration_minutes > 0),
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    starts_on TEXT NOT NULL,
    publication TEXT NOT NULL CHECK (publication IN ('draft', 'published', 'unlisted')),
    status TEXT NOT NULL CHECK (status IN ('scheduled', 'cancelled')),
    cancellation_reason TEXT,
    edited INTEGER NOT NULL CHECK (edited IN (0, 1)),
    -- How many bookings have an open offer of a seat. If there are none, and nobody waits, bookings needn't be read.
    offers_open INTEGER NOT NULL DEFAULT 0 CHECK (offers_open >= 0),
    -- How many of those who wait want an online seat of a hybrid session.
    online_waitlist_length INTEGER NOT NULL DEFAULT 0 CHECK (online_waitlist_length >= 0),
    -- The hour of the week in which a session starts, on its own clock: 0 is Monday from midnight on, 167 is Sunday
    -- from 23:00 on. The database computes it, so that no statement can forget it.
    week_hour INTEGER GENERATED ALWAYS AS
        ((strftime('%w', local_start) + 6) % 7 * 24 + CAST(substr(local_start, 12, 2) AS INTEGER)) VIRTUAL,
    -- Whether somebody who books one seat now gets it. People on the waiting list come first, even if a seat is free; a
    -- hybrid session has a waiting list for each way of taking part. The database computes this column, so that no
    -- statement can forget it. Triggers would do so too, but with them SQLite keeps a journal of each statement, which
    -- makes a roster two and a half times as slow.
    has_room INTEGER NOT NULL GENERATED ALWAYS AS
        (status = 'scheduled'
            AND (waitlist_length = online_waitlist_length AND (capacity IS NULL OR seats_taken < capacity)
                OR delivery = 'hybrid' AND online_waitlist_length = 0
                    AND (online_capacity IS NULL OR online_seats_taken < online_capacity))) VIRTUAL,
    -- Whether the session is in the public list. The database computes this column, so that no statement can forget it.
    -- The indexes below have it in front of the start: whoever reads what is public passes no drafts.
    published INTEGER NOT NULL GENERATED ALWAYS AS (publication = 'published') VIRTUAL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT sessions_series_occurrence_key UNIQUE (series_id, occurrence),
    CHECK (capacity IS NULL OR seats_taken <= capacity),
    CHECK (online_capacity IS NULL OR online_seats_taken <= online_capacity),
    CONSTRAINT sessions_listing_fkey FOREIGN KEY (wording_id, slot) REFERENCES listings (wording_id, slot),
    CHECK (ends_at > starts_at)
) STRICT;
-- Each index for lists also has has_room, so that a search for a free seat passes full sessions without reading them.
CREATE INDEX sessions_starts_at_index ON sessions (published, starts_at, id, has_room);
CREATE INDEX sessions_venue_index ON sessions (venue_id, published, starts_at, id, has_room);
CREATE INDEX sessions_partner_index ON sessions (partner_id, published, starts_at, id, has_room);
-- Of the sessions of series none has an external_id, and few have a space: a roster of a year has less to write.
CREATE UNIQUE INDEX sessions_partner_external_key ON sessions (partner_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX sessions_space_index ON sessions (space_id, starts_at) WHERE space_id IS NOT NULL;
-- The sessions that hold a space: a draft holds none. Read before a session takes one.
CREATE INDEX sessions_space_taken_index ON sessions (space_id, starts_at, ends_at) WHERE space_id IS NOT NULL AND status = 'scheduled' AND publication <> 'draft';
CREATE INDEX sessions_waiting_index ON sessions (starts_at) WHERE waitlist_length > 0;
CREATE INDEX sessions_listing_index ON sessions (wording_id, slot, published, starts_at, id, has_room);
CREATE INDEX sessions_week_hour_index ON sessions (week_hour, published, starts_at, id, has_room);

CREATE TABLE prescriptions (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    origin TEXT NOT NULL CHECK (origin IN ('self', 'advisor', 'gp', 'partner')),
    advisor_id BLOB REFERENCES users (id),
    site_id BLOB REFERENCES sites (id),
    what_matters TEXT,
    status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'completed', 'closed_early', 'declined')),
    status_reason TEXT,
    developed_on TEXT,
    review_on TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (status IN ('draft', 'declined') OR developed_on IS NOT NULL)
) STRICT;
CREATE INDEX prescriptions_member_index ON prescriptions (member_id, id);
CREATE INDEX prescriptions_advisor_index ON prescriptions (advisor_id, id);
CREATE INDEX prescriptions_site_index ON prescriptions (site_id, developed_on);
CREATE INDEX prescriptions_developed_index ON prescriptions (developed_on, site_id);

CREATE TABLE prescription_needs (
    prescription_id BLOB NOT NULL REFERENCES prescriptions (id),
    domain TEXT NOT NULL CHECK (domain IN ('housing', 'debt', 'benefits', 'employment', 'education', 'digital_skills', 'physical_wellbeing', 'mental_wellbeing', 'loneliness', 'caring', 'family', 'arts_and_culture', 'volunteering', 'other')),
    position INTEGER NOT NULL,
    severity INTEGER CHECK (severity BETWEEN 1 AND 5),
    note TEXT,
    PRIMARY KEY (prescription_id, domain)
) STRICT;

CREATE TABLE prescription_items (
    id BLOB PRIMARY KEY,
    prescription_id BLOB NOT NULL REFERENCES prescriptions (id),
    position INTEGER NOT NULL,
    need TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('series', 'session', 'programme', 'partner', 'advice')),
    series_id BLOB REFERENCES session_series (id),
    session_id BLOB REFERENCES sessions (id),
    programme_id BLOB REFERENCES programmes (id),
    partner_id BLOB REFERENCES partners (id),
    goal TEXT,
    note TEXT,
    status TEXT NOT NULL CHECK (status IN ('proposed', 'requested', 'accepted', 'rejected', 'engaged', 'completed', 'declined', 'disengaged', 'unavailable')),
    reason TEXT,
    -- Whether the member added the item. Such an item is no referral.
    by_member INTEGER NOT NULL DEFAULT 0 CHECK (by_member IN (0, 1)),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX prescription_items_prescription_index ON prescription_items (prescription_id, position);
CREATE INDEX prescription_items_series_index ON prescription_items (series_id);
CREATE INDEX prescription_items_session_index ON prescription_items (session_id);
CREATE INDEX prescription_items_programme_index ON prescription_items (programme_id);
CREATE INDEX prescription_items_partner_index ON prescription_items (partner_id);

CREATE TABLE bookings (
    id BLOB PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    member_id BLOB NOT NULL REFERENCES members (id),
    status TEXT NOT NULL CHECK (status IN ('booked', 'waitlisted', 'offered', 'attended', 'absent', 'cancelled_by_member', 'cancelled_by_provider')),
    delivery TEXT NOT NULL CHECK (delivery IN ('in_person', 'online')),
    family INTEGER NOT NULL CHECK (family >= 0),
    carers INTEGER NOT NULL CHECK (carers >= 0),
    seats INTEGER NOT NULL CHECK (seats > 0),
    reference TEXT NOT NULL,
    prescription_item_id BLOB REFERENCES prescription_items (id),
    cancellation_reason TEXT,
    booked_by BLOB NOT NULL,
    -- The booking's number in the waiting list of its session. It never changes, and so the order never does.
    turn INTEGER CHECK (turn > 0),
    -- Until when an offered seat is kept. The value stays when the offer has expired.
    offer_expires_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT bookings_session_reference_key UNIQUE (session_id, reference)
) STRICT;
CREATE UNIQUE INDEX bookings_live_key ON bookings (session_id, member_id) WHERE status IN ('booked', 'waitlisted', 'offered', 'attended', 'absent');
CREATE INDEX bookings_member_index ON bookings (member_id, id);
CREATE INDEX bookings_session_index ON bookings (session_id, id);
CREATE INDEX bookings_prescription_item_index ON bookings (prescription_item_id);
-- For the report on attendance: it reads no other columns of bookings.
CREATE INDEX bookings_attended_index ON bookings (session_id, delivery, member_id) WHERE status = 'attended';
CREATE UNIQUE INDEX bookings_session_turn_key ON bookings (session_id, turn) WHERE turn IS NOT NULL;
CREATE INDEX bookings_waiting_index ON bookings (session_id, delivery, turn) WHERE status = 'waitlisted';
-- The open offers. The server looks every few seconds for those that have expired.
CREATE INDEX bookings_offers_index ON bookings (offer_expires_at) WHERE status = 'offered';

CREATE TABLE registers (
    session_id BLOB PRIMARY KEY REFERENCES sessions (id),
    beneficiaries INTEGER NOT NULL CHECK (beneficiaries >= 0),
    family INTEGER NOT NULL CHECK (family >= 0),
    carers INTEGER NOT NULL CHECK (carers >= 0),
    taken_by BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE walk_ins (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    member_id BLOB NOT NULL REFERENCES members (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, member_id)
) STRICT;
CREATE INDEX walk_ins_member_index ON walk_ins (member_id);

CREATE TABLE rosters (
    id BLOB PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partners (id),
    mode TEXT NOT NULL CHECK (mode IN ('atomic', 'partial')),
    status TEXT NOT NULL CHECK (status IN ('applied', 'refused')),
    posted_by BLOB NOT NULL,
    counts TEXT NOT NULL,
    sessions TEXT NOT NULL,
    skipped TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX rosters_partner_index ON rosters (partner_id, id);
-- For the housekeeping, which deletes old refused rosters.
CREATE INDEX rosters_status_index ON rosters (status, created_at);

CREATE TABLE roster_entries (
    roster_id BLOB NOT NULL REFERENCES rosters (id),
    position INTEGER NOT NULL,
    external_id TEXT,
    line INTEGER,
    pointer TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('created', 'updated', 'unchanged', 'cancelled', 'rejected')),
    resource_id BLOB,
    errors TEXT NOT NULL,
    PRIMARY KEY (roster_id, position)
) STRICT;

CREATE TABLE audit_events (
    id BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'client', 'system')),
    actor_id BLOB,
    action TEXT NOT NULL,
    member_id BLOB,
    resource_kind TEXT NOT NULL,
    resource_id BLOB,
    fields TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_events_member_index ON audit_events (member_id, id);
CREATE INDEX audit_events_resource_index ON audit_events (resource_id, id);

CREATE TABLE idempotency_records (
    scope TEXT PRIMARY KEY,
    body_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    etag TEXT,
    body TEXT NOT NULL,
    -- The people whose data the stored answer holds. Sending the answer again counts as a read of their data.
    about TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_records_expires_index ON idempotency_records (expires_at);

-- Buckets that bound how often passwords are guessed. key is a keyed digest, so that no address stands here. The bucket is
-- full again at tat.
CREATE TABLE throttles (
    key TEXT PRIMARY KEY,
    tat INTEGER NOT NULL
) STRICT;
CREATE INDEX throttles_tat_index ON throttles (tat);

-- Work that only one server may do at a time: which server does it, and until when.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Work that goes on after its request was answered. due_at is when a server should next look at the row: at once if the
-- job waits, at the end of its lease if it runs, and on the day it is deleted if it has ended.
CREATE TABLE jobs (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('roster')),
    partner_id BLOB REFERENCES partners (id),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    work TEXT NOT NULL,
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= done),
    result TEXT,
    problem TEXT,
    attempts INTEGER NOT NULL,
    holder BLOB,
    due_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL))
) STRICT;
CREATE INDEX jobs_due_index ON jobs (due_at);
CREATE INDEX jobs_partner_index ON jobs (partner_id, id);

-- What a job works on, until it has ended. It can have megabytes, and SQLite writes a row anew with each change: so it
-- isn't in the job's row. It is in pieces, since SQLite has a row in memory twice while it writes it.
CREATE TABLE job_payloads (
    job_id BLOB NOT NULL REFERENCES jobs (id),
    position INTEGER NOT NULL,
    piece BLOB NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT;

-- Addresses of members' own calendars. The secret of an address is stored as a digest.
CREATE TABLE calendar_links (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    name TEXT,
    neutral_titles INTEGER NOT NULL CHECK (neutral_titles IN (0, 1)),
    secret_hash TEXT NOT NULL CONSTRAINT calendar_links_secret_hash_key UNIQUE,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX calendar_links_member_index ON calendar_links (member_id, id);

-- Named areas: several local authorities that reports can count together. With many combinations, small counts could be
-- worked out. So each area has one of a few numbers, and there can't be more areas than numbers.
CREATE TABLE report_areas (
    id BLOB PRIMARY KEY,
    number INTEGER NOT NULL CONSTRAINT report_areas_number_key UNIQUE CHECK (number BETWEEN 1 AND 5),
    slug TEXT NOT NULL CONSTRAINT report_areas_slug_key UNIQUE,
    name TEXT NOT NULL,
    local_authorities TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO report_areas VALUES (X'0199d2f000007000800000000000000a', 1, 'liverpool-and-sefton', 'Liverpool and Sefton', '["Liverpool","Sefton"]', 1, 1795910400000000, 1795910400000000);
