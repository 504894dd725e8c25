-- Addresses of members' own calendars: the secret in one is kept as a digest.
CREATE TABLE calendar_links (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    name TEXT,
    neutral_titles INTEGER NOT NULL,
    secret_hash TEXT NOT NULL CONSTRAINT calendar_links_secret_hash_key UNIQUE,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX calendar_links_member_index ON calendar_links (member_id, id);
