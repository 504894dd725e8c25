UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;
DELETE FROM venue_words;
DROP INDEX sessions_week_hour_index;
ALTER TABLE sessions DROP COLUMN week_hour;
