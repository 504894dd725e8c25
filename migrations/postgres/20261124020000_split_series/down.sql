DROP INDEX sessions_space_taken_index;
DROP INDEX session_series_split_from_index;
ALTER TABLE session_series DROP COLUMN split_from;
ALTER TABLE session_series DROP COLUMN ends_before;
