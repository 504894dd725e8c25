-- Through which local date a series without an end has its sessions; null where its rule ends.
ALTER TABLE session_series ADD COLUMN expanded_until date;
CREATE INDEX session_series_expanded_index ON session_series (status, expanded_until);
