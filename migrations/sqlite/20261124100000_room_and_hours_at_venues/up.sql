-- Listings tell the venue and the hour of the week together as well: all are made again.
UPDATE sessions SET listing_id = NULL;
DELETE FROM listing_words;

-- Whether who books now gets a seat: who waits already comes first, even where a seat is free, and a hybrid session has
-- a list for each way of taking part. The database works it out, so that whatever writes a session can't forget it. The
-- indexes have it, and so only a booking that takes the last seat, or what gives one back, touches them.
-- By triggers: of a generated column SQLite would write the indexes anew at each booking.
ALTER TABLE sessions ADD COLUMN has_room INTEGER NOT NULL DEFAULT 1;
UPDATE sessions SET has_room = 0 WHERE NOT (
    status = 'scheduled' AND (waitlist_length = 0 OR delivery = 'hybrid')
        AND (capacity IS NULL OR seats_taken < capacity
            OR (delivery = 'hybrid' AND (online_capacity IS NULL OR online_seats_taken < online_capacity))));
CREATE INDEX sessions_room_index ON sessions (has_room, starts_at, id);
CREATE INDEX sessions_venue_room_index ON sessions (venue_id, has_room, starts_at, id);
CREATE INDEX sessions_listing_room_index ON sessions (listing_id, has_room, starts_at, id);

CREATE TRIGGER sessions_room_at_first AFTER INSERT ON sessions WHEN NEW.has_room IS NOT (
    NEW.status = 'scheduled' AND (NEW.waitlist_length = 0 OR NEW.delivery = 'hybrid')
        AND (NEW.capacity IS NULL OR NEW.seats_taken < NEW.capacity
            OR (NEW.delivery = 'hybrid' AND (NEW.online_capacity IS NULL OR NEW.online_seats_taken < NEW.online_capacity))))
BEGIN
    UPDATE sessions SET has_room = NOT NEW.has_room WHERE id = NEW.id;
END;
CREATE TRIGGER sessions_room_from_then_on AFTER UPDATE OF status, delivery, capacity, online_capacity, seats_taken,
    online_seats_taken, waitlist_length ON sessions WHEN NEW.has_room IS NOT (
    NEW.status = 'scheduled' AND (NEW.waitlist_length = 0 OR NEW.delivery = 'hybrid')
        AND (NEW.capacity IS NULL OR NEW.seats_taken < NEW.capacity
            OR (NEW.delivery = 'hybrid' AND (NEW.online_capacity IS NULL OR NEW.online_seats_taken < NEW.online_capacity))))
BEGIN
    UPDATE sessions SET has_room = NOT NEW.has_room WHERE id = NEW.id;
END;
