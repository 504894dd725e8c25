-- What members see of an account in their access log.
ALTER TABLE users ADD COLUMN display_name TEXT;

-- Who the actor was at that time, and what for. Events from before this version have none of it.
ALTER TABLE audit_events ADD COLUMN actor_role TEXT;
ALTER TABLE audit_events ADD COLUMN partner_id BLOB;
ALTER TABLE audit_events ADD COLUMN purpose TEXT;
ALTER TABLE audit_events ADD COLUMN on_behalf_of BLOB;

-- Events that wait for their seal: one row for each write of events, with their ids one after the other.
CREATE TABLE audit_unsealed (
    first_id BLOB PRIMARY KEY,
    event_ids BLOB NOT NULL
) STRICT;
-- What exists already waits too, so the first seals hold it.
INSERT INTO audit_unsealed (first_id, event_ids) SELECT id, id FROM audit_events;

-- The seals are a chain: each root is worked out from the root before it and from the events of the seal.
CREATE TABLE audit_seals (
    number INTEGER NOT NULL UNIQUE,
    sealed_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    event_ids BLOB,
    previous BLOB NOT NULL,
    root BLOB NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    note TEXT CHECK (note IN ('started', 'heartbeat')),
    CHECK ((count = 0) = (event_ids IS NULL))
) STRICT;
CREATE INDEX audit_seals_sealed_at_index ON audit_seals (sealed_at);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events can only be added to'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events can only be added to'); END;
CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals can only be added to'); END;
CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals can only be added to'); END;
