-- Addresses of members' own calendars: the secret in one is kept as a digest.
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
