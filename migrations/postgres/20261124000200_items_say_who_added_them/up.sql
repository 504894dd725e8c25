-- Whether the member added the item themself: that is no referral.
ALTER TABLE prescription_items ADD COLUMN by_member boolean NOT NULL DEFAULT false;
UPDATE prescription_items SET by_member = true WHERE prescription_id IN (SELECT id FROM prescriptions WHERE origin = 'self');
