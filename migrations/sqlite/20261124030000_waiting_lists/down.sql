DROP INDEX sessions_waiting_index;
DROP INDEX bookings_offers_index;
DROP INDEX bookings_waiting_index;
DROP INDEX bookings_session_turn_key;
ALTER TABLE sessions DROP COLUMN offers_open;
ALTER TABLE bookings DROP COLUMN offer_expires_at;
ALTER TABLE bookings DROP COLUMN turn;
