ALTER TABLE prescription_items DROP COLUMN by_member;
