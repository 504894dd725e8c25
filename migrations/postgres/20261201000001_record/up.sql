-- The record: what is kept of a member, and what stands beside it.

ALTER TABLE members ADD COLUMN former_names jsonb NOT NULL DEFAULT '[]';
ALTER TABLE members ADD COLUMN line_1 text COLLATE "C";
ALTER TABLE members ADD COLUMN line_2 text COLLATE "C";
ALTER TABLE members ADD COLUMN town text COLLATE "C";
-- What is safe for this person: a message on the voicemail, a letter, saying who calls.
ALTER TABLE members ADD COLUMN safe_contact jsonb NOT NULL DEFAULT '{"voicemail": true, "letters": true, "say_who": true}';
ALTER TABLE members ADD COLUMN message_details text COLLATE "C" NOT NULL DEFAULT 'neutral' CHECK (message_details IN ('neutral', 'full'));
-- The e-mail address in lower case, to be looked up.
ALTER TABLE members ADD COLUMN email_key text COLLATE "C";
-- The day of the last booking, attendance, prescription, consent or login. It moves at most once a day, and without a
-- new version.
ALTER TABLE members ADD COLUMN last_activity_on date;
UPDATE members SET email_key = lower(trim(email));
UPDATE members SET last_activity_on = (
    SELECT max(day) FROM (
        SELECT max(CAST(created_at AT TIME ZONE 'Europe/London' AS date)) AS day FROM bookings WHERE member_id = members.id
        UNION ALL SELECT max(CAST(created_at AT TIME ZONE 'Europe/London' AS date)) FROM prescriptions WHERE member_id = members.id
        UNION ALL SELECT max(CAST(recorded_at AT TIME ZONE 'Europe/London' AS date)) FROM consents WHERE member_id = members.id
        UNION ALL SELECT max(starts_on) FROM walk_ins JOIN sessions ON sessions.id = session_id WHERE member_id = members.id
        UNION ALL SELECT max(starts_on) FROM bookings JOIN sessions ON sessions.id = session_id WHERE member_id = members.id AND bookings.status = 'attended'
    ) AS days
);
CREATE INDEX members_email_key_index ON members (email_key);

-- What a member needs to take part (Accessible Information Standard). No row: nobody has asked.
CREATE TABLE access_needs (
    member_id uuid PRIMARY KEY REFERENCES members (id),
    asked_on date NOT NULL,
    none boolean NOT NULL,
    needs jsonb NOT NULL,
    review_on date NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- How two members are connected. from_member is the carer, child, partner or family of to_member, and may book for
-- to_member where may_book says so.
CREATE TABLE relationships (
    id uuid PRIMARY KEY,
    from_member uuid NOT NULL REFERENCES members (id),
    to_member uuid NOT NULL REFERENCES members (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('carer_of', 'child_of', 'partner_of', 'family_of')),
    may_book boolean NOT NULL,
    authority text COLLATE "C" NOT NULL CHECK (authority IN ('member_agreed', 'parental_responsibility', 'lasting_power_of_attorney', 'none')),
    evidence text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('proposed', 'active', 'ended')),
    starts_on date NOT NULL,
    ends_on date,
    created_by uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (from_member <> to_member),
    CHECK (NOT (may_book AND authority = 'none')),
    CHECK (ends_on >= starts_on)
);
CREATE UNIQUE INDEX relationships_open_key ON relationships (from_member, to_member, kind) WHERE status <> 'ended';
CREATE INDEX relationships_from_index ON relationships (from_member, id);
CREATE INDEX relationships_to_index ON relationships (to_member, id);

-- Answers for equality monitoring. NULL: never asked. They stand apart from members, so that no list or search has them.
CREATE TABLE equality_answers (
    member_id uuid PRIMARY KEY REFERENCES members (id),
    ethnicity text COLLATE "C" CHECK (ethnicity IN ('white_british', 'irish', 'gypsy_or_irish_traveller', 'roma', 'other_white', 'white_and_black_caribbean', 'white_and_black_african', 'white_and_asian', 'other_mixed', 'indian', 'pakistani', 'bangladeshi', 'chinese', 'other_asian', 'caribbean', 'african', 'other_black', 'arab', 'other', 'prefer_not_to_say')),
    sex text COLLATE "C" CHECK (sex IN ('female', 'male', 'prefer_not_to_say')),
    gender_same_as_registered text COLLATE "C" CHECK (gender_same_as_registered IN ('yes', 'no', 'prefer_not_to_say')),
    sexual_orientation text COLLATE "C" CHECK (sexual_orientation IN ('heterosexual', 'gay_or_lesbian', 'bisexual', 'other', 'not_sure', 'prefer_not_to_say')),
    religion text COLLATE "C" CHECK (religion IN ('no_religion', 'christian', 'buddhist', 'hindu', 'jewish', 'muslim', 'sikh', 'other', 'prefer_not_to_say')),
    long_lasting_condition text COLLATE "C" CHECK (long_lasting_condition IN ('yes', 'no', 'prefer_not_to_say')),
    activities_reduced text COLLATE "C" CHECK (activities_reduced IN ('a_lot', 'a_little', 'not_at_all', 'prefer_not_to_say')),
    unpaid_carer text COLLATE "C" CHECK (unpaid_carer IN ('none', 'under_20', '20_to_49', '50_or_more', 'prefer_not_to_say')),
    main_language text COLLATE "C",
    asked_on date NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Warnings that a member is at risk of harm. Only accounts with the permission see them.
CREATE TABLE safeguarding_flags (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    category text COLLATE "C" NOT NULL CHECK (category IN ('abuse', 'neglect', 'self_harm', 'domestic_abuse', 'exploitation', 'other')),
    summary text COLLATE "C" NOT NULL,
    raised_by uuid NOT NULL,
    raised_on date NOT NULL,
    review_on date NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed')),
    closed_reason text COLLATE "C",
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((status = 'closed') = (closed_reason IS NOT NULL))
);
CREATE INDEX safeguarding_flags_member_index ON safeguarding_flags (member_id, id);

-- The postcodes of the United Kingdom, each with its local authority. An operator imports them from the Office for
-- National Statistics; without them nothing is looked up.
CREATE TABLE postcodes (
    postcode text COLLATE "C" PRIMARY KEY,
    local_authority_code text COLLATE "C" NOT NULL,
    latitude double precision,
    longitude double precision,
    country text COLLATE "C" NOT NULL,
    deprivation_rank integer
);
