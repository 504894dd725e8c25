-- Who made the address of a calendar. It works while this account may still make one. Of older addresses the audit knows it.
ALTER TABLE calendar_links ADD COLUMN created_by uuid;
UPDATE calendar_links SET created_by = (
    SELECT actor_id FROM audit_events
    WHERE resource_id = calendar_links.id AND resource_kind = 'calendar_link' AND action = 'create' AND actor_kind = 'user'
    ORDER BY id LIMIT 1);

-- How somebody could be reached by a record that was merged into another: the other record is found by it. A row belongs to
-- the old id, and goes if the merge is undone.
CREATE TABLE merged_contacts (
    member_id uuid PRIMARY KEY REFERENCES members (id),
    email_key text COLLATE "C",
    phone text COLLATE "C",
    postcode text COLLATE "C",
    created_at timestamptz NOT NULL
);
CREATE INDEX merged_contacts_email_key_index ON merged_contacts (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX merged_contacts_phone_index ON merged_contacts (phone) WHERE phone IS NOT NULL;
CREATE INDEX merged_contacts_postcode_index ON merged_contacts (postcode) WHERE postcode IS NOT NULL;
