-- Work that goes on after its request was answered. due_at is when somebody should look at a row: now for one that
-- waits, the end of the lease for one that runs, the day it is forgotten for one that has ended.
CREATE TABLE jobs (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('roster')),
    partner_id BLOB REFERENCES partners (id),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    work TEXT NOT NULL,
    payload BLOB,
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= done),
    result TEXT,
    problem TEXT,
    attempts INTEGER NOT NULL,
    holder BLOB,
    due_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (payload IS NOT NULL))
) STRICT;
CREATE INDEX jobs_due_index ON jobs (due_at);
CREATE INDEX jobs_partner_index ON jobs (partner_id, id);
