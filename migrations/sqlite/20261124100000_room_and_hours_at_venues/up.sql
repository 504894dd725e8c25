-- Listings tell the venue and the hour of the week together as well: all are made again.
UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;

-- Whether who books now gets a seat: who waits already comes first, even where a seat is free, and a hybrid session has
-- a list for each way of taking part. The database works it out, so that whatever writes a session can't forget it. Not
-- by triggers: with them SQLite keeps a journal of each statement, which makes a roster two and a half times as slow.
ALTER TABLE sessions ADD COLUMN has_room INTEGER NOT NULL GENERATED ALWAYS AS
    (status = 'scheduled' AND (waitlist_length = 0 OR delivery = 'hybrid')
        AND (capacity IS NULL OR seats_taken < capacity
            OR (delivery = 'hybrid' AND (online_capacity IS NULL OR online_seats_taken < online_capacity)))) VIRTUAL;
CREATE INDEX sessions_room_index ON sessions (has_room, starts_at, id);
CREATE INDEX sessions_venue_room_index ON sessions (venue_id, has_room, starts_at, id);
CREATE INDEX sessions_listing_room_index ON sessions (listing_id, has_room, starts_at, id);
