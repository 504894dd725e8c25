DROP TABLE merged_contacts;
ALTER TABLE calendar_links DROP COLUMN created_by;
