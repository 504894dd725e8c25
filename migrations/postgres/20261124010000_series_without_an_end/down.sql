DROP INDEX session_series_expanded_index;
ALTER TABLE session_series DROP COLUMN expanded_until;
