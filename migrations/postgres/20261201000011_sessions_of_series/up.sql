-- The sessions of one series, and those that people get a place in one way, in the order of their starts. As in the other
-- indexes for lists, has_room lets a search for a free seat pass full sessions without reading them.
CREATE INDEX sessions_series_index ON sessions (series_id, published, starts_at, id, has_room);
CREATE INDEX sessions_policy_index ON sessions (booking_policy, published, starts_at, id, has_room);
