-- Erasing people, and looking through records that may no longer be needed.

-- Requests to erase a member, and what became of them. A safeguarding flag holds a request without a word here.
-- `released_at` says when somebody with the permission let it go on nevertheless.
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members (id),
    origin text COLLATE "C" NOT NULL CHECK (origin IN ('member', 'advisor', 'retention', 'restored')),
    -- The account that asked; NULL if the service repeats an erasure in a restored database.
    asked_by uuid,
    asked_on date NOT NULL,
    due_on date NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('requested', 'withdrawn', 'held', 'executed')),
    reason text COLLATE "C",
    hold_until date,
    released_at timestamptz,
    executed_at timestamptz,
    -- How many rows of each table were emptied or deleted.
    result jsonb,
    -- Whether the files of the database may still hold what was deleted.
    disk text COLLATE "C" CHECK (disk IN ('pending', 'done')),
    -- Whether the file erasures.log names the member.
    logged boolean NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((status = 'held') = (reason IS NOT NULL)),
    CHECK ((status = 'executed') = (executed_at IS NOT NULL)),
    CHECK ((executed_at IS NULL) = (result IS NULL)),
    CHECK ((executed_at IS NULL) = (disk IS NULL))
);
CREATE UNIQUE INDEX erasures_open_key ON erasures (member_id) WHERE status IN ('requested', 'held');
CREATE INDEX erasures_member_index ON erasures (member_id, id);
CREATE INDEX erasures_status_index ON erasures (status, id);
-- What the server still has to do. Looked at every few seconds.
CREATE INDEX erasures_disk_index ON erasures (id) WHERE disk = 'pending';
CREATE INDEX erasures_logged_index ON erasures (logged, id) WHERE status = 'executed';

-- Decisions to keep a record that nobody has used for years.
CREATE TABLE retention_reviews (
    member_id uuid PRIMARY KEY REFERENCES members (id),
    keep_until date NOT NULL,
    reason text COLLATE "C" NOT NULL,
    decided_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
