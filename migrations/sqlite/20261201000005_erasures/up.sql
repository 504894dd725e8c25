-- Erasing people, and looking through records that may no longer be needed.

-- Requests to erase a member, and what became of them. A safeguarding flag holds a request without a word here.
-- `released_at` says when somebody with the permission let it go on nevertheless.
CREATE TABLE erasures (
    id BLOB PRIMARY KEY,
    member_id BLOB NOT NULL REFERENCES members (id),
    origin TEXT NOT NULL CHECK (origin IN ('member', 'advisor', 'retention', 'restored')),
    -- The account that asked; NULL if the service repeats an erasure in a restored database.
    asked_by BLOB,
    asked_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requested', 'withdrawn', 'held', 'executed')),
    reason TEXT,
    hold_until TEXT,
    released_at INTEGER,
    executed_at INTEGER,
    -- How many rows of each table were emptied or deleted.
    result TEXT,
    -- Whether the files of the database may still hold what was deleted.
    disk TEXT CHECK (disk IN ('pending', 'done')),
    -- Whether the file erasures.log names the member.
    logged INTEGER NOT NULL CHECK (logged IN (0, 1)),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((status = 'held') = (reason IS NOT NULL)),
    CHECK ((status = 'executed') = (executed_at IS NOT NULL)),
    CHECK ((executed_at IS NULL) = (result IS NULL)),
    CHECK ((executed_at IS NULL) = (disk IS NULL))
) STRICT;
CREATE UNIQUE INDEX erasures_open_key ON erasures (member_id) WHERE status IN ('requested', 'held');
CREATE INDEX erasures_member_index ON erasures (member_id, id);
CREATE INDEX erasures_status_index ON erasures (status, id);
-- What the server still has to do. Looked at every few seconds.
CREATE INDEX erasures_disk_index ON erasures (id) WHERE disk = 'pending';
CREATE INDEX erasures_logged_index ON erasures (logged, id) WHERE status = 'executed';

-- Decisions to keep a record that nobody has used for years.
CREATE TABLE retention_reviews (
    member_id BLOB PRIMARY KEY REFERENCES members (id),
    keep_until TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_by BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
