-- The hour of the week in which a session starts on its own clock: 0 is Monday from midnight on, 167 Sunday from 23:00.
-- The database works it out, so that whatever writes a session can't forget it.
ALTER TABLE sessions ADD COLUMN week_hour INTEGER GENERATED ALWAYS AS
    ((strftime('%w', local_start) + 6) % 7 * 24 + CAST(substr(local_start, 12, 2) AS INTEGER)) VIRTUAL;
CREATE INDEX sessions_week_hour_index ON sessions (week_hour, starts_at, id);

-- Listings tell more than before (the partner, the programme, the minute of the start), and what no text says begins
-- with a colon, so that no beginning of a word finds it: all are made again.
UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;
DELETE FROM venue_words;
