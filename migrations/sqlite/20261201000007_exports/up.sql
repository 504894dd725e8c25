-- What is kept about a member, put together for whoever asks for it (subject access). A row is also its own place in the
-- queue: `due_at` says when a queued one is to be made, or tried again. The document is removed seven days after it is
-- ready; the row stays, and says when the request was answered.
CREATE TABLE exports (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    kind TEXT NOT NULL CHECK (kind IN ('own', 'full')),
    requested_by BLOB NOT NULL,
    received_on TEXT NOT NULL,
    how TEXT,
    due_on TEXT NOT NULL,
    extended INTEGER NOT NULL CHECK (extended IN (0, 1)),
    reason TEXT,
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_review', 'ready', 'released', 'expired')),
    withheld TEXT NOT NULL,
    withheld_reason TEXT,
    document BLOB,
    bytes INTEGER,
    sha256 TEXT,
    downloads INTEGER NOT NULL CHECK (downloads >= 0),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL,
    ready_at INTEGER,
    expires_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (extended = (reason IS NOT NULL)),
    CHECK ((document IS NOT NULL) = (status IN ('in_review', 'ready', 'released'))),
    CHECK ((expires_at IS NOT NULL) = (status IN ('ready', 'released', 'expired')))
) STRICT;
CREATE INDEX exports_member_index ON exports (member_id, id);
CREATE INDEX exports_queue_index ON exports (due_at) WHERE status = 'queued';
CREATE INDEX exports_expires_index ON exports (expires_at) WHERE document IS NOT NULL;
