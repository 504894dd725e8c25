-- A link that works once. Its secret is made from its id and a key that lies beside the database, so nothing here yields
-- one. `form` is what somebody wrote who has no account yet: it is deleted with the link.
CREATE TABLE one_time_links (
    id uuid PRIMARY KEY,
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('registration', 'invitation', 'password_reset', 'email_change', 'measurement')),
    user_id uuid REFERENCES users (id),
    member_id uuid REFERENCES members (id),
    email text COLLATE "C",
    form jsonb,
    created_by uuid REFERENCES users (id),
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX one_time_links_user_index ON one_time_links (user_id, purpose);
CREATE INDEX one_time_links_member_index ON one_time_links (member_id, id);
CREATE INDEX one_time_links_email_index ON one_time_links (email, purpose);
CREATE INDEX one_time_links_expires_index ON one_time_links (expires_at);

-- What people are told. A row is written in the transaction of what it tells of. Its text is made when it is sent, from
-- what is true then. `payload` holds ids, times and names of states: no names of people and no secrets.
CREATE TABLE messages (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('registration', 'already_registered', 'invitation', 'password_reset',
        'email_change', 'password_changed', 'email_changed', 'security_notice', 'booked', 'waitlisted',
        'booking_cancelled', 'moved', 'cancelled', 'offered', 'offer_expiring', 'reminder', 'referral_accepted',
        'referral_rejected', 'review_due', 'offer_unanswered', 'referral_received', 'register_missing', 'export_ready',
        'erasure_done')),
    member_id uuid REFERENCES members (id),
    user_id uuid REFERENCES users (id),
    link_id uuid REFERENCES one_time_links (id),
    partner_id uuid REFERENCES partners (id),
    address text COLLATE "C",
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'sms')),
    payload jsonb NOT NULL,
    digest_key text COLLATE "C",
    dedup_key text COLLATE "C" CONSTRAINT messages_dedup_key UNIQUE,
    status text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'skipped', 'failed')),
    why text COLLATE "C",
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    expires_at timestamptz,
    holder uuid,
    sent_at timestamptz,
    message_id text COLLATE "C",
    created_at timestamptz NOT NULL,
    CHECK (member_id IS NOT NULL OR user_id IS NOT NULL OR link_id IS NOT NULL OR partner_id IS NOT NULL OR address IS NOT NULL)
);
CREATE INDEX messages_due_index ON messages (status, due_at) WHERE status IN ('queued', 'sending');
CREATE INDEX messages_member_index ON messages (member_id, id);
CREATE INDEX messages_link_index ON messages (link_id);
CREATE INDEX messages_digest_index ON messages (digest_key) WHERE status = 'queued';
CREATE INDEX messages_created_index ON messages (created_at);

ALTER TABLE users ADD COLUMN email_proven_at timestamptz;
ALTER TABLE users ADD COLUMN last_login_on date;
