-- Whose booking a message is about, if its reader made it for somebody they care for. A column, so that the list of
-- messages, merging and erasing can go by it.
ALTER TABLE messages ADD COLUMN cared_for uuid REFERENCES members (id);
UPDATE messages SET cared_for = (payload->>'cared_for')::uuid,
    payload = payload - 'cared_for'
    WHERE payload->>'cared_for' IS NOT NULL;
DELETE FROM messages WHERE cared_for IN (SELECT id FROM members WHERE erased_at IS NOT NULL);
UPDATE messages SET cared_for = (SELECT merged_into FROM members WHERE members.id = messages.cared_for)
    WHERE cared_for IN (SELECT id FROM members WHERE merged_into IS NOT NULL);
CREATE INDEX messages_cared_for_index ON messages (cared_for) WHERE cared_for IS NOT NULL;

-- From when its reader sees a message; at once without it. `due_at` also says when a mail is tried again.
ALTER TABLE messages ADD COLUMN visible_from timestamptz;
UPDATE messages SET visible_from = due_at WHERE kind = 'offer_expiring' AND attempts = 0;

-- What is sent first: 0 before 1 before 2. A link to an account doesn't wait behind the news of thousands of bookings.
ALTER TABLE messages ADD COLUMN priority integer NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 2);
UPDATE messages SET priority = 0
    WHERE kind NOT IN ('booked', 'waitlisted', 'booking_cancelled', 'moved', 'cancelled', 'reminder');
DROP INDEX messages_due_index;
CREATE INDEX messages_due_index ON messages (priority, due_at, id) WHERE status IN ('queued', 'sending');

-- When its mail was last handed to the mail server, which takes so many a minute.
ALTER TABLE messages ADD COLUMN tried_at timestamptz;
UPDATE messages SET tried_at = sent_at WHERE sent_at IS NOT NULL;
CREATE INDEX messages_tried_index ON messages (tried_at) WHERE tried_at IS NOT NULL;

-- What goes into one mail.
DROP INDEX messages_digest_index;
CREATE INDEX messages_digest_index ON messages (member_id, digest_key) WHERE status IN ('queued', 'sending');
