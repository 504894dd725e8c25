-- A booking's place in the waiting list of its session, given once and kept, so that the order never changes.
ALTER TABLE bookings ADD COLUMN turn INTEGER CHECK (turn > 0);
-- Until when an offered seat is kept; it stays where the offer ran out.
ALTER TABLE bookings ADD COLUMN offer_expires_at INTEGER;
-- How many bookings are offered a seat: where it is 0, and nobody waits, there is nothing to look for.
ALTER TABLE sessions ADD COLUMN offers_open INTEGER NOT NULL DEFAULT 0 CHECK (offers_open >= 0);
CREATE UNIQUE INDEX bookings_session_turn_key ON bookings (session_id, turn) WHERE turn IS NOT NULL;
CREATE INDEX bookings_waiting_index ON bookings (session_id, delivery, turn) WHERE status = 'waitlisted';
-- What the server looks for every few seconds.
CREATE INDEX bookings_offers_index ON bookings (offer_expires_at) WHERE status = 'offered';
CREATE INDEX sessions_waiting_index ON sessions (starts_at) WHERE waitlist_length > 0;
