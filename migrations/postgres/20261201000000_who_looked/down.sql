DROP TABLE audit_seals;
DROP TABLE audit_unsealed;
DROP TRIGGER audit_events_only_grow ON audit_events;
DROP FUNCTION audit_only_grows();
ALTER TABLE audit_events DROP COLUMN on_behalf_of;
ALTER TABLE audit_events DROP COLUMN purpose;
ALTER TABLE audit_events DROP COLUMN partner_id;
ALTER TABLE audit_events DROP COLUMN actor_role;
ALTER TABLE users DROP COLUMN display_name;
