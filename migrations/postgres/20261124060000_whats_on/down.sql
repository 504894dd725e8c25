DROP INDEX venues_place_index;
DROP TABLE venue_words;
DROP INDEX sessions_listing_index;
ALTER TABLE sessions DROP COLUMN listing_id;
DROP TABLE listing_words;
