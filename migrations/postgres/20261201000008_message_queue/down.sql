DROP INDEX messages_digest_index;
CREATE INDEX messages_digest_index ON messages (digest_key) WHERE status = 'queued';
DROP INDEX messages_tried_index;
ALTER TABLE messages DROP COLUMN tried_at;
DROP INDEX messages_due_index;
CREATE INDEX messages_due_index ON messages (status, due_at) WHERE status IN ('queued', 'sending');
ALTER TABLE messages DROP COLUMN priority;
ALTER TABLE messages DROP COLUMN visible_from;
DROP INDEX messages_cared_for_index;
UPDATE messages SET payload = payload || jsonb_build_object('cared_for', cared_for)
    WHERE cared_for IS NOT NULL;
ALTER TABLE messages DROP COLUMN cared_for;
