-- Whether the member added the item themself: that is no referral.
ALTER TABLE prescription_items ADD COLUMN by_member INTEGER NOT NULL DEFAULT 0;
UPDATE prescription_items SET by_member = 1 WHERE prescription_id IN (SELECT id FROM prescriptions WHERE origin = 'self');
