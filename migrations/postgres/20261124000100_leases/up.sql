-- Which server does a piece of work that only one does at a time, and until when.
CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
