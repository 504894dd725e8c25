-- A link that works once. Its secret is made from its id and a key that lies beside the database, so nothing here yields
-- one. `form` is what somebody wrote who has no account yet: it is deleted with the link.
CREATE TABLE one_time_links (
    id BLOB PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('registration', 'invitation', 'password_reset', 'email_change', 'measurement')),
    user_id BLOB REFERENCES users (id),
    member_id BLOB REFERENCES members (id),
    email TEXT,
    form TEXT,
    created_by BLOB REFERENCES users (id),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX one_time_links_user_index ON one_time_links (user_id, purpose);
CREATE INDEX one_time_links_member_index ON one_time_links (member_id, id);
CREATE INDEX one_time_links_email_index ON one_time_links (email, purpose);
CREATE INDEX one_time_links_expires_index ON one_time_links (expires_at);

-- What people are told. A row is written in the transaction of what it tells of. Its text is made when it is sent, from
-- what is true then. `payload` holds ids, times and names of states: no names of people and no secrets.
CREATE TABLE messages (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('registration', 'already_registered', 'invitation', 'password_reset',
        'email_change', 'password_changed', 'email_changed', 'security_notice', 'booked', 'waitlisted',
        'booking_cancelled', 'moved', 'cancelled', 'offered', 'offer_expiring', 'reminder', 'referral_accepted',
        'referral_rejected', 'review_due', 'offer_unanswered', 'referral_received', 'register_missing', 'export_ready',
        'erasure_done')),
    member_id BLOB REFERENCES members (id),
    user_id BLOB REFERENCES users (id),
    link_id BLOB REFERENCES one_time_links (id),
    partner_id BLOB REFERENCES partners (id),
    address TEXT,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'sms')),
    payload TEXT NOT NULL,
    digest_key TEXT,
    dedup_key TEXT CONSTRAINT messages_dedup_key UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'skipped', 'failed')),
    why TEXT,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at INTEGER NOT NULL,
    expires_at INTEGER,
    holder BLOB,
    sent_at INTEGER,
    message_id TEXT,
    created_at INTEGER NOT NULL,
    CHECK (member_id IS NOT NULL OR user_id IS NOT NULL OR link_id IS NOT NULL OR partner_id IS NOT NULL OR address IS NOT NULL)
) STRICT;
CREATE INDEX messages_due_index ON messages (status, due_at) WHERE status IN ('queued', 'sending');
CREATE INDEX messages_member_index ON messages (member_id, id);
CREATE INDEX messages_link_index ON messages (link_id);
CREATE INDEX messages_digest_index ON messages (digest_key) WHERE status = 'queued';
CREATE INDEX messages_created_index ON messages (created_at);

ALTER TABLE users ADD COLUMN email_proven_at INTEGER;
ALTER TABLE users ADD COLUMN last_login_on TEXT;
