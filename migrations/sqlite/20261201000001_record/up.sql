-- The record: what is kept of a member, and what stands beside it.

ALTER TABLE members ADD COLUMN former_names TEXT NOT NULL DEFAULT '[]';
ALTER TABLE members ADD COLUMN line_1 TEXT;
ALTER TABLE members ADD COLUMN line_2 TEXT;
ALTER TABLE members ADD COLUMN town TEXT;
-- What is safe for this person: a message on the voicemail, a letter, saying who calls.
ALTER TABLE members ADD COLUMN safe_contact TEXT NOT NULL DEFAULT '{"voicemail": true, "letters": true, "say_who": true}';
ALTER TABLE members ADD COLUMN message_details TEXT NOT NULL DEFAULT 'neutral' CHECK (message_details IN ('neutral', 'full'));
-- The e-mail address in lower case, to be looked up.
ALTER TABLE members ADD COLUMN email_key TEXT;
-- The day of the last booking, attendance, prescription, consent or login. It moves at most once a day, and without a
-- new version.
ALTER TABLE members ADD COLUMN last_activity_on TEXT;
UPDATE members SET email_key = lower(trim(email));
-- The days are those of UTC, because SQLite knows no time zones: what was done in summer between midnight and one o'clock in
-- London counts for the day before. For a question about years that is near enough.
UPDATE members SET last_activity_on = (
    SELECT max(day) FROM (
        SELECT max(date(created_at / 1000000, 'unixepoch')) AS day FROM bookings WHERE member_id = members.id
        UNION ALL SELECT max(date(created_at / 1000000, 'unixepoch')) FROM prescriptions WHERE member_id = members.id
        UNION ALL SELECT max(date(recorded_at / 1000000, 'unixepoch')) FROM consents WHERE member_id = members.id
        UNION ALL SELECT max(starts_on) FROM walk_ins JOIN sessions ON sessions.id = session_id WHERE member_id = members.id
        UNION ALL SELECT max(starts_on) FROM bookings JOIN sessions ON sessions.id = session_id WHERE member_id = members.id AND bookings.status = 'attended'
    ) AS days
);
CREATE INDEX members_email_key_index ON members (email_key);

-- What a member needs to take part (Accessible Information Standard). No row: nobody has asked.
CREATE TABLE access_needs (
    member_id BLOB PRIMARY KEY REFERENCES members (id),
    asked_on TEXT NOT NULL,
    none INTEGER NOT NULL CHECK (none IN (0, 1)),
    needs TEXT NOT NULL,
    review_on TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- How two members are connected. from_member is the carer, child, partner or family of to_member, and may book for
-- to_member where may_book says so.
CREATE TABLE relationships (
    id BLOB PRIMARY KEY,
    from_member BLOB NOT NULL REFERENCES members (id),
    to_member BLOB NOT NULL REFERENCES members (id),
    kind TEXT NOT NULL CHECK (kind IN ('carer_of', 'child_of', 'partner_of', 'family_of')),
    may_book INTEGER NOT NULL CHECK (may_book IN (0, 1)),
    authority TEXT NOT NULL CHECK (authority IN ('member_agreed', 'parental_responsibility', 'lasting_power_of_attorney', 'none')),
    evidence TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('proposed', 'active', 'ended')),
    starts_on TEXT NOT NULL,
    ends_on TEXT,
    created_by BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (from_member <> to_member),
    CHECK (NOT (may_book AND authority = 'none')),
    CHECK (ends_on >= starts_on)
) STRICT;
CREATE UNIQUE INDEX relationships_open_key ON relationships (from_member, to_member, kind) WHERE status <> 'ended';
CREATE INDEX relationships_from_index ON relationships (from_member, id);
CREATE INDEX relationships_to_index ON relationships (to_member, id);

-- Answers for equality monitoring. NULL: never asked. They stand apart from members, so that no list or search has them.
CREATE TABLE equality_answers (
    member_id BLOB PRIMARY KEY REFERENCES members (id),
    ethnicity TEXT CHECK (ethnicity IN ('white_british', 'irish', 'gypsy_or_irish_traveller', 'roma', 'other_white', 'white_and_black_caribbean', 'white_and_black_african', 'white_and_asian', 'other_mixed', 'indian', 'pakistani', 'bangladeshi', 'chinese', 'other_asian', 'caribbean', 'african', 'other_black', 'arab', 'other', 'prefer_not_to_say')),
    sex TEXT CHECK (sex IN ('female', 'male', 'prefer_not_to_say')),
    gender_same_as_registered TEXT CHECK (gender_same_as_registered IN ('yes', 'no', 'prefer_not_to_say')),
    sexual_orientation TEXT CHECK (sexual_orientation IN ('heterosexual', 'gay_or_lesbian', 'bisexual', 'other', 'not_sure', 'prefer_not_to_say')),
    religion TEXT CHECK (religion IN ('no_religion', 'christian', 'buddhist', 'hindu', 'jewish', 'muslim', 'sikh', 'other', 'prefer_not_to_say')),
    long_lasting_condition TEXT CHECK (long_lasting_condition IN ('yes', 'no', 'prefer_not_to_say')),
    activities_reduced TEXT CHECK (activities_reduced IN ('a_lot', 'a_little', 'not_at_all', 'prefer_not_to_say')),
    unpaid_carer TEXT CHECK (unpaid_carer IN ('none', 'under_20', '20_to_49', '50_or_more', 'prefer_not_to_say')),
    main_language TEXT,
    asked_on TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Warnings that a member is at risk of harm. Only accounts with the permission see them.
CREATE TABLE safeguarding_flags (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    category TEXT NOT NULL CHECK (category IN ('abuse', 'neglect', 'self_harm', 'domestic_abuse', 'exploitation', 'other')),
    summary TEXT NOT NULL,
    raised_by BLOB NOT NULL,
    raised_on TEXT NOT NULL,
    review_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    closed_reason TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((status = 'closed') = (closed_reason IS NOT NULL))
) STRICT;
CREATE INDEX safeguarding_flags_member_index ON safeguarding_flags (member_id, id);

-- The postcodes of the United Kingdom, each with its local authority. An operator imports them from the Office for
-- National Statistics; without them nothing is looked up.
CREATE TABLE postcodes (
    postcode TEXT PRIMARY KEY,
    local_authority_code TEXT NOT NULL,
    latitude REAL,
    longitude REAL,
    country TEXT NOT NULL,
    deprivation_rank INTEGER
) STRICT, WITHOUT ROWID;
