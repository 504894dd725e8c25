-- The tables of the first release. COLLATE "C" sorts text by its bytes, as SQLite does.

CREATE TABLE venues (
    id uuid PRIMARY KEY,
    slug text COLLATE "C" NOT NULL CONSTRAINT venues_slug_key UNIQUE,
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('life_rooms_centre', 'library', 'one_stop_shop', 'childrens_centre', 'theatre', 'community_centre', 'health_centre', 'other')),
    line_1 text COLLATE "C",
    line_2 text COLLATE "C",
    town text COLLATE "C",
    county text COLLATE "C",
    postcode text COLLATE "C",
    latitude double precision,
    longitude double precision,
    local_authority text COLLATE "C" NOT NULL,
    local_authority_code text COLLATE "C" NOT NULL,
    uprn text COLLATE "C",
    accessibility jsonb NOT NULL,
    capacity integer CHECK (capacity > 0),
    opening_hours jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'temporarily_closed', 'closed')),
    status_from date,
    status_until date,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX venues_name_index ON venues (name, id);
CREATE INDEX venues_local_authority_index ON venues (local_authority, name, id);
CREATE INDEX venues_place_index ON venues (latitude, longitude, id);

CREATE TABLE venue_words (
    venue_id uuid NOT NULL REFERENCES venues (id),
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (venue_id, word)
);
CREATE INDEX venue_words_word_index ON venue_words (word, venue_id);

CREATE TABLE spaces (
    id uuid PRIMARY KEY,
    venue_id uuid NOT NULL REFERENCES venues (id),
    name text COLLATE "C" NOT NULL,
    capacity integer CHECK (capacity > 0),
    kept_for jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT spaces_venue_name_key UNIQUE (venue_id, name)
);

-- SQLite has this function: it tells its planner that most rows meet a condition. Here it is the condition itself.
CREATE FUNCTION likely(boolean) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';

CREATE TABLE partners (
    id uuid PRIMARY KEY,
    slug text COLLATE "C" NOT NULL CONSTRAINT partners_slug_key UNIQUE,
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('charity', 'orchestra', 'theatre', 'library_service', 'housing', 'advice', 'university', 'local_authority', 'nhs_trust', 'community_group', 'other')),
    charity_number text COLLATE "C",
    website text COLLATE "C",
    description text COLLATE "C",
    contact_name text COLLATE "C",
    contact_email text COLLATE "C",
    contact_phone text COLLATE "C",
    partnership_start date,
    partnership_end date,
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
    roster_version integer NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX partners_name_index ON partners (name, id);

CREATE TABLE programmes (
    id uuid PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    slug text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT programmes_partner_slug_key UNIQUE (partner_id, slug)
);

CREATE TABLE sites (
    id uuid PRIMARY KEY,
    slug text COLLATE "C" NOT NULL CONSTRAINT sites_slug_key UNIQUE,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE hostings (
    id uuid PRIMARY KEY,
    site_id uuid NOT NULL REFERENCES sites (id),
    venue_id uuid NOT NULL REFERENCES venues (id),
    partner_id uuid REFERENCES partners (id),
    starts_on date NOT NULL,
    ends_on date,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (ends_on IS NULL OR ends_on >= starts_on)
);
CREATE INDEX hostings_site_index ON hostings (site_id, starts_on);
CREATE INDEX hostings_venue_index ON hostings (venue_id, starts_on);
CREATE INDEX hostings_partner_index ON hostings (partner_id);

CREATE TABLE members (
    id uuid PRIMARY KEY,
    preferred_name text COLLATE "C",
    given_name text COLLATE "C" NOT NULL,
    family_name text COLLATE "C" NOT NULL,
    given_key text COLLATE "C" NOT NULL,
    family_key text COLLATE "C" NOT NULL,
    pronouns text COLLATE "C",
    date_of_birth date,
    email text COLLATE "C",
    phone text COLLATE "C",
    postcode text COLLATE "C",
    local_authority text COLLATE "C",
    local_authority_code text COLLATE "C",
    nhs_number text COLLATE "C" CONSTRAINT members_nhs_number_key UNIQUE,
    gp_practice_code text COLLATE "C",
    roles jsonb NOT NULL,
    contact_preferences jsonb NOT NULL,
    emergency_contact jsonb,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX members_family_key_index ON members (family_key, given_key, id);
CREATE INDEX members_date_of_birth_index ON members (date_of_birth);
CREATE INDEX members_postcode_index ON members (postcode);
CREATE INDEX members_phone_index ON members (phone);

-- The words that a member is found by.
CREATE TABLE member_words (
    member_id uuid NOT NULL REFERENCES members (id),
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (member_id, word)
);
CREATE INDEX member_words_word_index ON member_words (word, member_id);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text COLLATE "C" NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text COLLATE "C",
    role text COLLATE "C" NOT NULL CHECK (role IN ('admin', 'advisor', 'analyst', 'member', 'partner')),
    partner_id uuid REFERENCES partners (id),
    member_id uuid CONSTRAINT users_member_key UNIQUE REFERENCES members (id),
    disabled boolean NOT NULL,
    permissions jsonb NOT NULL,
    generation integer NOT NULL,
    failed_logins integer NOT NULL DEFAULT 0,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((role = 'partner') = (partner_id IS NOT NULL)),
    CHECK ((role = 'member') = (member_id IS NOT NULL))
);
CREATE INDEX users_partner_index ON users (partner_id);

-- A login is one signed-in device: one family of refresh tokens. Only the newest token of a family counts, so the number
-- of the newest is enough to know every older one. expires_at is when the login can no longer be used, whatever happens.
CREATE TABLE logins (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    nonce bytea NOT NULL,
    counter integer NOT NULL CHECK (counter > 0),
    by_cookie boolean NOT NULL,
    client_name text COLLATE "C",
    network text COLLATE "C",
    rotated_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_why text COLLATE "C" CHECK (ended_why IN ('logout', 'logout_all', 'reuse', 'password', 'email', 'disabled', 'changed', 'evicted', 'expired')),
    created_at timestamptz NOT NULL,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE INDEX logins_user_index ON logins (user_id, ended_at, id);
CREATE INDEX logins_network_index ON logins (user_id, network, last_used_at);
CREATE INDEX logins_expires_index ON logins (expires_at);

CREATE TABLE api_clients (
    id uuid PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    client_id text COLLATE "C" NOT NULL CONSTRAINT api_clients_client_id_key UNIQUE,
    name text COLLATE "C" NOT NULL,
    secret_hash text COLLATE "C" NOT NULL,
    scopes jsonb NOT NULL,
    generation integer NOT NULL,
    revoked_at timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX api_clients_partner_index ON api_clients (partner_id, id);

CREATE TABLE consents (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('service_delivery', 'share_with_partner', 'share_with_gp', 'contact_email', 'contact_sms', 'contact_post', 'research')),
    partner_id uuid REFERENCES partners (id),
    decision text COLLATE "C" NOT NULL CHECK (decision IN ('given', 'withdrawn')),
    evidence text COLLATE "C" NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK ((purpose = 'share_with_partner') = (partner_id IS NOT NULL))
);
CREATE INDEX consents_member_index ON consents (member_id, purpose, partner_id, recorded_at, id);
CREATE INDEX consents_partner_index ON consents (partner_id);

CREATE TABLE session_series (
    id uuid PRIMARY KEY,
    partner_id uuid REFERENCES partners (id),
    programme_id uuid REFERENCES programmes (id),
    venue_id uuid REFERENCES venues (id),
    space_id uuid REFERENCES spaces (id),
    external_id text COLLATE "C",
    title text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    pillar text COLLATE "C" NOT NULL CHECK (pillar IN ('learning', 'social_prescribing', 'community')),
    topics jsonb NOT NULL,
    delivery text COLLATE "C" NOT NULL CHECK (delivery IN ('in_person', 'online', 'hybrid')),
    join_link text COLLATE "C",
    facilitator text COLLATE "C",
    accessibility jsonb NOT NULL,
    booking_policy text COLLATE "C" NOT NULL CHECK (booking_policy IN ('drop_in', 'bookable', 'referral_only')),
    capacity integer CHECK (capacity > 0),
    online_capacity integer CHECK (online_capacity > 0),
    local_start text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes > 0),
    recurrence text COLLATE "C" NOT NULL,
    excluded jsonb NOT NULL,
    additional jsonb NOT NULL,
    publication text COLLATE "C" NOT NULL CHECK (publication IN ('draft', 'published', 'unlisted')),
    -- Whether the series is in the public list: computed, and in front in the indexes of lists.
    published boolean NOT NULL GENERATED ALWAYS AS (publication = 'published') STORED,
    -- How many bytes its texts have. The database computes this column, so that no statement can forget it. JSON is
    -- counted without the blanks that PostgreSQL puts into it.
    text_bytes integer NOT NULL GENERATED ALWAYS AS
        (octet_length(title) + coalesce(octet_length(description), 0) + coalesce(octet_length(facilitator), 0)
            + octet_length(replace(topics::text, ', ', ',')) + octet_length(replace(accessibility::text, ', ', ','))) STORED,
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'cancelled')),
    cancellation_reason text COLLATE "C",
    -- The local date through which the sessions of a series without an end exist. Null if the series' rule ends.
    expanded_until date,
    -- Where a series ends before its rule does: the first local date that it doesn't have any more. "split": it was
    -- split there. "withdrawn": its partner's roster no longer names it. {}: it ends where its rule does, if ever.
    ending jsonb NOT NULL DEFAULT '{}',
    -- The occurrences for which no session could be made, each with the reason.
    left_out jsonb NOT NULL DEFAULT '[]',
    split_from uuid REFERENCES session_series (id),
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT session_series_partner_external_key UNIQUE (partner_id, external_id)
);
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
    id uuid PRIMARY KEY,
    title text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    topics jsonb NOT NULL,
    facilitator text COLLATE "C",
    accessibility jsonb NOT NULL,
    pillar text COLLATE "C" NOT NULL CHECK (pillar IN ('learning', 'social_prescribing', 'community')),
    programme_id uuid REFERENCES programmes (id)
);
CREATE INDEX wordings_programme_index ON wordings (programme_id);

-- A wording in a slot: how people take part, of which partner, at which venue, on which day of the week and at what time.
-- The slot is a digest of these. Sessions that have all of it in common share one listing.
CREATE TABLE listings (
    wording_id uuid NOT NULL REFERENCES wordings (id),
    slot bigint NOT NULL,
    -- The partner of the slot, and the bytes of the wording. For counting how much text a partner has.
    partner_id uuid REFERENCES partners (id),
    bytes integer NOT NULL,
    PRIMARY KEY (wording_id, slot)
);
CREATE INDEX listings_partner_index ON listings (partner_id, wording_id, bytes);

-- The words that sessions are found by. They are written and deleted together with their listing. A word with a colon
-- stands for a field and never comes from a text, such as `:topic:reading`.
CREATE TABLE listing_words (
    wording_id uuid NOT NULL,
    slot bigint NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (wording_id, slot, word)
);
CREATE INDEX listing_words_word_index ON listing_words (word, wording_id, slot);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    series_id uuid REFERENCES session_series (id),
    -- Which occurrence of its series a session is: the local start that was stated for it last, with a + behind it if it
    -- is an additional time.
    occurrence text COLLATE "C" CHECK ((occurrence IS NULL) = (series_id IS NULL)),
    partner_id uuid REFERENCES partners (id),
    venue_id uuid REFERENCES venues (id),
    space_id uuid REFERENCES spaces (id),
    external_id text COLLATE "C",
    -- What the session says, and in which slot: together its listing.
    wording_id uuid NOT NULL,
    slot bigint NOT NULL,
    delivery text COLLATE "C" NOT NULL CHECK (delivery IN ('in_person', 'online', 'hybrid')),
    join_link text COLLATE "C",
    booking_policy text COLLATE "C" NOT NULL CHECK (booking_policy IN ('drop_in', 'bookable', 'referral_only')),
    capacity integer CHECK (capacity > 0),
    online_capacity integer CHECK (online_capacity > 0),
    seats_taken integer NOT NULL CHECK (seats_taken >= 0),
    online_seats_taken integer NOT NULL CHECK (online_seats_taken >= 0),
    waitlist_length integer NOT NULL CHECK (waitlist_length >= 0),
    local_start text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes > 0),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    starts_on date NOT NULL,
    publication text COLLATE "C" NOT NULL CHECK (publication IN ('draft', 'published', 'unlisted')),
    status text COLLATE "C" NOT NULL CHECK (status IN ('scheduled', 'cancelled')),
    cancellation_reason text COLLATE "C",
    edited boolean NOT NULL,
    -- How many bookings have an open offer of a seat. If there are none, and nobody waits, bookings needn't be read.
    offers_open integer NOT NULL DEFAULT 0 CHECK (offers_open >= 0),
    -- How many of those who wait want an online seat of a hybrid session.
    online_waitlist_length integer NOT NULL DEFAULT 0 CHECK (online_waitlist_length >= 0),
    -- The hour of the week in which a session starts, on its own clock: 0 is Monday from midnight on, 167 is Sunday
    -- from 23:00 on. The database computes it, so that no statement can forget it.
    week_hour integer GENERATED ALWAYS AS
        ((extract(isodow FROM make_date(substr(local_start, 1, 4)::integer, substr(local_start, 6, 2)::integer,
            substr(local_start, 9, 2)::integer))::integer - 1) * 24 + substr(local_start, 12, 2)::integer) STORED,
    -- Whether somebody who books one seat now gets it. People on the waiting list come first, even if a seat is free; a
    -- hybrid session has a waiting list for each way of taking part. The database computes this column, so that no
    -- statement can forget it. The indexes hold this column and not the numbers of seats, so that only a booking that
    -- takes the last seat, or a cancellation that frees one, has to change them.
    has_room boolean NOT NULL GENERATED ALWAYS AS
        (status = 'scheduled'
            AND (waitlist_length = online_waitlist_length AND (capacity IS NULL OR seats_taken < capacity)
                OR delivery = 'hybrid' AND online_waitlist_length = 0
                    AND (online_capacity IS NULL OR online_seats_taken < online_capacity))) STORED,
    -- Whether the session is in the public list. The database computes this column, so that no statement can forget it.
    -- The indexes below have it in front of the start: whoever reads what is public passes no drafts.
    published boolean NOT NULL GENERATED ALWAYS AS (publication = 'published') STORED,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sessions_series_occurrence_key UNIQUE (series_id, occurrence),
    CHECK (capacity IS NULL OR seats_taken <= capacity),
    CHECK (online_capacity IS NULL OR online_seats_taken <= online_capacity),
    CONSTRAINT sessions_listing_fkey FOREIGN KEY (wording_id, slot) REFERENCES listings (wording_id, slot),
    CHECK (ends_at > starts_at)
);
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
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    origin text COLLATE "C" NOT NULL CHECK (origin IN ('self', 'advisor', 'gp', 'partner')),
    advisor_id uuid REFERENCES users (id),
    site_id uuid REFERENCES sites (id),
    what_matters text COLLATE "C",
    status text COLLATE "C" NOT NULL CHECK (status IN ('draft', 'active', 'completed', 'closed_early', 'declined')),
    status_reason text COLLATE "C",
    developed_on date,
    review_on date,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (status IN ('draft', 'declined') OR developed_on IS NOT NULL)
);
CREATE INDEX prescriptions_member_index ON prescriptions (member_id, id);
CREATE INDEX prescriptions_advisor_index ON prescriptions (advisor_id, id);
CREATE INDEX prescriptions_site_index ON prescriptions (site_id, developed_on);
CREATE INDEX prescriptions_developed_index ON prescriptions (developed_on, site_id);

CREATE TABLE prescription_needs (
    prescription_id uuid NOT NULL REFERENCES prescriptions (id),
    domain text COLLATE "C" NOT NULL CHECK (domain IN ('housing', 'debt', 'benefits', 'employment', 'education', 'digital_skills', 'physical_wellbeing', 'mental_wellbeing', 'loneliness', 'caring', 'family', 'arts_and_culture', 'volunteering', 'other')),
    position integer NOT NULL,
    severity integer CHECK (severity BETWEEN 1 AND 5),
    note text COLLATE "C",
    PRIMARY KEY (prescription_id, domain)
);

CREATE TABLE prescription_items (
    id uuid PRIMARY KEY,
    prescription_id uuid NOT NULL REFERENCES prescriptions (id),
    position integer NOT NULL,
    need text COLLATE "C",
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('series', 'session', 'programme', 'partner', 'advice')),
    series_id uuid REFERENCES session_series (id),
    session_id uuid REFERENCES sessions (id),
    programme_id uuid REFERENCES programmes (id),
    partner_id uuid REFERENCES partners (id),
    goal text COLLATE "C",
    note text COLLATE "C",
    status text COLLATE "C" NOT NULL CHECK (status IN ('proposed', 'requested', 'accepted', 'rejected', 'engaged', 'completed', 'declined', 'disengaged', 'unavailable')),
    reason text COLLATE "C",
    -- Whether the member added the item. Such an item is no referral.
    by_member boolean NOT NULL DEFAULT false,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX prescription_items_prescription_index ON prescription_items (prescription_id, position);
CREATE INDEX prescription_items_series_index ON prescription_items (series_id);
CREATE INDEX prescription_items_session_index ON prescription_items (session_id);
CREATE INDEX prescription_items_programme_index ON prescription_items (programme_id);
CREATE INDEX prescription_items_partner_index ON prescription_items (partner_id);

CREATE TABLE bookings (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id),
    member_id uuid NOT NULL REFERENCES members (id),
    status text COLLATE "C" NOT NULL CHECK (status IN ('booked', 'waitlisted', 'offered', 'attended', 'absent', 'cancelled_by_member', 'cancelled_by_provider')),
    delivery text COLLATE "C" NOT NULL CHECK (delivery IN ('in_person', 'online')),
    family integer NOT NULL CHECK (family >= 0),
    carers integer NOT NULL CHECK (carers >= 0),
    seats integer NOT NULL CHECK (seats > 0),
    reference text COLLATE "C" NOT NULL,
    prescription_item_id uuid REFERENCES prescription_items (id),
    cancellation_reason text COLLATE "C",
    booked_by uuid NOT NULL,
    -- The booking's number in the waiting list of its session. It never changes, and so the order never does.
    turn integer CHECK (turn > 0),
    -- Until when an offered seat is kept. The value stays when the offer has expired.
    offer_expires_at timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT bookings_session_reference_key UNIQUE (session_id, reference)
);
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
    session_id uuid PRIMARY KEY REFERENCES sessions (id),
    beneficiaries integer NOT NULL CHECK (beneficiaries >= 0),
    family integer NOT NULL CHECK (family >= 0),
    carers integer NOT NULL CHECK (carers >= 0),
    taken_by uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE walk_ins (
    session_id uuid NOT NULL REFERENCES sessions (id),
    member_id uuid NOT NULL REFERENCES members (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, member_id)
);
CREATE INDEX walk_ins_member_index ON walk_ins (member_id);

CREATE TABLE rosters (
    id uuid PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    mode text COLLATE "C" NOT NULL CHECK (mode IN ('atomic', 'partial')),
    status text COLLATE "C" NOT NULL CHECK (status IN ('applied', 'refused')),
    posted_by uuid NOT NULL,
    counts jsonb NOT NULL,
    sessions jsonb NOT NULL,
    skipped jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX rosters_partner_index ON rosters (partner_id, id);
-- For the housekeeping, which deletes old refused rosters.
CREATE INDEX rosters_status_index ON rosters (status, created_at);

CREATE TABLE roster_entries (
    roster_id uuid NOT NULL REFERENCES rosters (id),
    position integer NOT NULL,
    external_id text COLLATE "C",
    line integer,
    pointer text COLLATE "C",
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('created', 'updated', 'unchanged', 'cancelled', 'rejected')),
    resource_id uuid,
    errors jsonb NOT NULL,
    PRIMARY KEY (roster_id, position)
);

CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_kind text COLLATE "C" NOT NULL CHECK (actor_kind IN ('user', 'client', 'system')),
    actor_id uuid,
    action text COLLATE "C" NOT NULL,
    member_id uuid,
    resource_kind text COLLATE "C" NOT NULL,
    resource_id uuid,
    fields jsonb NOT NULL,
    request_id text COLLATE "C" NOT NULL
);
CREATE INDEX audit_events_member_index ON audit_events (member_id, id);
CREATE INDEX audit_events_resource_index ON audit_events (resource_id, id);

CREATE TABLE idempotency_records (
    scope text COLLATE "C" PRIMARY KEY,
    body_hash text COLLATE "C" NOT NULL,
    status integer NOT NULL,
    location text COLLATE "C",
    etag text COLLATE "C",
    body text COLLATE "C" NOT NULL,
    -- The people whose data the stored answer holds. Sending the answer again counts as a read of their data.
    about jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX idempotency_records_expires_index ON idempotency_records (expires_at);

-- Buckets that bound how often passwords are guessed. key is a keyed digest, so that no address stands here. The bucket is
-- full again at tat.
CREATE TABLE throttles (
    key text COLLATE "C" PRIMARY KEY,
    tat timestamptz NOT NULL
);
CREATE INDEX throttles_tat_index ON throttles (tat);

-- Work that only one server may do at a time: which server does it, and until when.
CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Work that goes on after its request was answered. due_at is when a server should next look at the row: at once if the
-- job waits, at the end of its lease if it runs, and on the day it is deleted if it has ended.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('roster')),
    partner_id uuid REFERENCES partners (id),
    status text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    work jsonb NOT NULL,
    done integer NOT NULL CHECK (done >= 0),
    total integer NOT NULL CHECK (total >= done),
    result text COLLATE "C",
    problem text COLLATE "C",
    attempts integer NOT NULL,
    holder uuid,
    due_at timestamptz NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX jobs_due_index ON jobs (due_at);
CREATE INDEX jobs_partner_index ON jobs (partner_id, id);

-- What a job works on, until it has ended. It can have megabytes, and SQLite writes a row anew with each change: so it
-- isn't in the job's row. It is in pieces, since SQLite has a row in memory twice while it writes it.
CREATE TABLE job_payloads (
    job_id uuid NOT NULL REFERENCES jobs (id),
    position integer NOT NULL,
    piece bytea NOT NULL,
    PRIMARY KEY (job_id, position)
);

-- Addresses of members' own calendars. The secret of an address is stored as a digest.
CREATE TABLE calendar_links (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    name text COLLATE "C",
    neutral_titles boolean NOT NULL,
    secret_hash text COLLATE "C" NOT NULL CONSTRAINT calendar_links_secret_hash_key UNIQUE,
    revoked_at timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX calendar_links_member_index ON calendar_links (member_id, id);

-- Named areas: several local authorities that reports can count together. With many combinations, small counts could be
-- worked out. So each area has one of a few numbers, and there can't be more areas than numbers.
CREATE TABLE report_areas (
    id uuid PRIMARY KEY,
    number integer NOT NULL CONSTRAINT report_areas_number_key UNIQUE CHECK (number BETWEEN 1 AND 5),
    slug text COLLATE "C" NOT NULL CONSTRAINT report_areas_slug_key UNIQUE,
    name text COLLATE "C" NOT NULL,
    local_authorities jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO report_areas VALUES ('0199d2f0-0000-7000-8000-00000000000a', 1, 'liverpool-and-sefton', 'Liverpool and Sefton', '["Liverpool","Sefton"]', 1, '2026-11-29T00:00:00Z', '2026-11-29T00:00:00Z');
