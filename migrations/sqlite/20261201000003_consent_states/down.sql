ALTER TABLE partners DROP COLUMN consent_version;
ALTER TABLE consents DROP COLUMN form_version;
ALTER TABLE consents DROP COLUMN told_by;
DROP TABLE consent_states;
