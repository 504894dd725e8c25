-- Work that goes on after its request was answered. due_at is when somebody should look at a row: now for one that
-- waits, the end of the lease for one that runs, the day it is forgotten for one that has ended.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('roster')),
    partner_id uuid REFERENCES partners (id),
    status text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    work jsonb NOT NULL,
    payload bytea,
    done integer NOT NULL CHECK (done >= 0),
    total integer NOT NULL CHECK (total >= done),
    result text COLLATE "C",
    problem text COLLATE "C",
    attempts integer NOT NULL,
    holder uuid,
    due_at timestamptz NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (payload IS NOT NULL))
);
CREATE INDEX jobs_due_index ON jobs (due_at);
CREATE INDEX jobs_partner_index ON jobs (partner_id, id);
