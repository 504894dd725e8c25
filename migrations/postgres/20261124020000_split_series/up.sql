-- Where a series was split: it ends before this local start, and another goes on from there.
ALTER TABLE session_series ADD COLUMN ends_before text COLLATE "C";
ALTER TABLE session_series ADD COLUMN split_from uuid REFERENCES session_series (id);
CREATE INDEX session_series_split_from_index ON session_series (split_from) WHERE split_from IS NOT NULL;
-- What takes a space: read for each session that is to take one.
CREATE INDEX sessions_space_taken_index ON sessions (space_id, starts_at, ends_at) WHERE space_id IS NOT NULL AND status = 'scheduled';
