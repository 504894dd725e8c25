-- What the history of consents says now: the last consent of each member for each purpose (and partner). A row is written
-- in the transaction of its consent. partner_id is nil (all zeros) where the purpose names no partner.
CREATE TABLE consent_states (
    member_id BLOB NOT NULL REFERENCES members (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('service_delivery', 'share_with_partner', 'share_with_gp', 'contact_email', 'contact_sms', 'contact_post', 'research')),
    partner_id BLOB NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('given', 'withdrawn')),
    consent_id BLOB NOT NULL REFERENCES consents (id),
    PRIMARY KEY (member_id, purpose, partner_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_states_consent_index ON consent_states (consent_id);
INSERT INTO consent_states (member_id, purpose, partner_id, decision, consent_id)
SELECT member_id, purpose, coalesce(partner_id, zeroblob(16)), decision, id
FROM (
    SELECT id, member_id, purpose, partner_id, decision,
        row_number() OVER (PARTITION BY member_id, purpose, partner_id ORDER BY recorded_at DESC, id DESC) AS place
    FROM consents
) AS history
WHERE place = 1;

-- The account to which a decision was told, and the wording that the member was shown.
ALTER TABLE consents ADD COLUMN told_by BLOB;
ALTER TABLE consents ADD COLUMN form_version TEXT;

-- Rises on SQLite when a member stops sharing with the partner. An answer that was read before is then read again.
ALTER TABLE partners ADD COLUMN consent_version INTEGER NOT NULL DEFAULT 0;
