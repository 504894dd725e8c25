ALTER TABLE session_series DROP COLUMN withdrawn;
