UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;
DROP INDEX sessions_listing_room_index;
DROP INDEX sessions_venue_room_index;
DROP INDEX sessions_room_index;
ALTER TABLE sessions DROP COLUMN has_room;
