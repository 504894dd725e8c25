DROP TABLE audit_seals;
DROP TABLE audit_unsealed;
DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;
ALTER TABLE audit_events DROP COLUMN on_behalf_of;
ALTER TABLE audit_events DROP COLUMN purpose;
ALTER TABLE audit_events DROP COLUMN partner_id;
ALTER TABLE audit_events DROP COLUMN actor_role;
ALTER TABLE users DROP COLUMN display_name;
