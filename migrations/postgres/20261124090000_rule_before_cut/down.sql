ALTER TABLE session_series DROP COLUMN rule_before_cut;
