-- What is kept about a member, put together for whoever asks for it (subject access). A row is also its own place in the
-- queue: `due_at` says when a queued one is to be made, or tried again. The document is removed seven days after it is
-- ready; the row stays, and says when the request was answered.
CREATE TABLE exports (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('own', 'full')),
    requested_by uuid NOT NULL,
    received_on date NOT NULL,
    how text COLLATE "C",
    due_on date NOT NULL,
    extended boolean NOT NULL,
    reason text COLLATE "C",
    status text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'in_review', 'ready', 'released', 'expired')),
    withheld jsonb NOT NULL,
    withheld_reason text COLLATE "C",
    document bytea,
    bytes integer,
    sha256 text COLLATE "C",
    downloads integer NOT NULL CHECK (downloads >= 0),
    attempts integer NOT NULL CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    ready_at timestamptz,
    expires_at timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (extended = (reason IS NOT NULL)),
    CHECK ((document IS NOT NULL) = (status IN ('in_review', 'ready', 'released'))),
    CHECK ((expires_at IS NOT NULL) = (status IN ('ready', 'released', 'expired')))
);
CREATE INDEX exports_member_index ON exports (member_id, id);
CREATE INDEX exports_queue_index ON exports (due_at) WHERE status = 'queued';
CREATE INDEX exports_expires_index ON exports (expires_at) WHERE document IS NOT NULL;
