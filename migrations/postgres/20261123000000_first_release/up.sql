-- The tables of the first release. Text sorts by its bytes on both databases, hence COLLATE "C".

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
    search_key text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX venues_name_index ON venues (name, id);
CREATE INDEX venues_local_authority_index ON venues (local_authority, name, id);

CREATE TABLE spaces (
    id uuid PRIMARY KEY,
    venue_id uuid NOT NULL REFERENCES venues (id),
    name text COLLATE "C" NOT NULL,
    capacity integer CHECK (capacity > 0),
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT spaces_venue_name_key UNIQUE (venue_id, name)
);

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
    preferred_key text COLLATE "C" NOT NULL,
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
CREATE INDEX members_given_key_index ON members (given_key, id);
CREATE INDEX members_preferred_key_index ON members (preferred_key, id);
CREATE INDEX members_date_of_birth_index ON members (date_of_birth);
CREATE INDEX members_postcode_index ON members (postcode);
CREATE INDEX members_phone_index ON members (phone);

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
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((role = 'partner') = (partner_id IS NOT NULL)),
    CHECK ((role = 'member') = (member_id IS NOT NULL))
);
CREATE INDEX users_partner_index ON users (partner_id);

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
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'cancelled')),
    cancellation_reason text COLLATE "C",
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT session_series_partner_external_key UNIQUE (partner_id, external_id)
);
CREATE INDEX session_series_venue_index ON session_series (venue_id);
CREATE INDEX session_series_programme_index ON session_series (programme_id);
CREATE INDEX session_series_space_index ON session_series (space_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    series_id uuid REFERENCES session_series (id),
    local_date date NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
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
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sessions_partner_external_key UNIQUE (partner_id, external_id),
    CONSTRAINT sessions_series_occurrence_key UNIQUE (series_id, local_date, position),
    CHECK (capacity IS NULL OR seats_taken <= capacity),
    CHECK (online_capacity IS NULL OR online_seats_taken <= online_capacity),
    CHECK (ends_at > starts_at)
);
CREATE INDEX sessions_starts_at_index ON sessions (starts_at, id);
CREATE INDEX sessions_venue_index ON sessions (venue_id, starts_at, id);
CREATE INDEX sessions_partner_index ON sessions (partner_id, starts_at, id);
CREATE INDEX sessions_programme_index ON sessions (programme_id, starts_at, id);
CREATE INDEX sessions_space_index ON sessions (space_id, starts_at);

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
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT bookings_session_reference_key UNIQUE (session_id, reference)
);
CREATE UNIQUE INDEX bookings_live_key ON bookings (session_id, member_id) WHERE status IN ('booked', 'waitlisted', 'offered', 'attended', 'absent');
CREATE INDEX bookings_member_index ON bookings (member_id, id);
CREATE INDEX bookings_session_index ON bookings (session_id, id);
CREATE INDEX bookings_prescription_item_index ON bookings (prescription_item_id);
-- For the report on attendance, which reads nothing else of a booking.
CREATE INDEX bookings_attended_index ON bookings (session_id, delivery, member_id) WHERE status = 'attended';

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
    expires_at timestamptz NOT NULL
);
CREATE INDEX idempotency_records_expires_index ON idempotency_records (expires_at);
