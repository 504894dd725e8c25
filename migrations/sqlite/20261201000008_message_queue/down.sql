DROP INDEX messages_digest_index;
CREATE INDEX messages_digest_index ON messages (digest_key) WHERE status = 'queued';
DROP INDEX messages_tried_index;
ALTER TABLE messages DROP COLUMN tried_at;
DROP INDEX messages_due_index;
CREATE INDEX messages_due_index ON messages (status, due_at) WHERE status IN ('queued', 'sending');
ALTER TABLE messages DROP COLUMN priority;
ALTER TABLE messages DROP COLUMN visible_from;
DROP INDEX messages_cared_for_index;
UPDATE messages SET payload = json_set(payload, '$.cared_for', lower(
    substr(hex(cared_for), 1, 8) || '-' || substr(hex(cared_for), 9, 4) || '-' || substr(hex(cared_for), 13, 4) || '-' ||
    substr(hex(cared_for), 17, 4) || '-' || substr(hex(cared_for), 21)))
    WHERE cared_for IS NOT NULL;
ALTER TABLE messages DROP COLUMN cared_for;
