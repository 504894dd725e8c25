-- What members see of an account in their access log.
ALTER TABLE users ADD COLUMN display_name text COLLATE "C";

-- Who the actor was at that time, and what for. Events from before this version have none of it.
ALTER TABLE audit_events ADD COLUMN actor_role text COLLATE "C";
ALTER TABLE audit_events ADD COLUMN partner_id uuid;
ALTER TABLE audit_events ADD COLUMN purpose text COLLATE "C";
ALTER TABLE audit_events ADD COLUMN on_behalf_of uuid;

-- Events that wait for their seal: one row for each write of events, with their ids one after the other.
CREATE TABLE audit_unsealed (
    first_id uuid PRIMARY KEY,
    event_ids bytea NOT NULL
);
-- What exists already waits too, so the first seals hold it.
INSERT INTO audit_unsealed (first_id, event_ids) SELECT id, uuid_send(id) FROM audit_events;

-- The seals are a chain: each root is worked out from the root before it and from the events of the seal.
CREATE TABLE audit_seals (
    number bigint NOT NULL UNIQUE,
    sealed_at timestamptz NOT NULL,
    count integer NOT NULL,
    event_ids bytea,
    previous bytea NOT NULL,
    root bytea NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    signature bytea NOT NULL,
    note text COLLATE "C" CHECK (note IN ('started', 'heartbeat')),
    CHECK ((count = 0) = (event_ids IS NULL))
);
CREATE INDEX audit_seals_sealed_at_index ON audit_seals (sealed_at);

CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% can only be added to', TG_TABLE_NAME; END;
$$;
CREATE TRIGGER audit_events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
CREATE TRIGGER audit_seals_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
