UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;
DROP TRIGGER sessions_room_from_then_on;
DROP TRIGGER sessions_room_at_first;
DROP INDEX sessions_listing_room_index;
DROP INDEX sessions_venue_room_index;
DROP INDEX sessions_room_index;
ALTER TABLE sessions DROP COLUMN has_room;
