-- Whether a member gets reminders by e-mail on the day before.
ALTER TABLE members ADD COLUMN reminders INTEGER NOT NULL DEFAULT 1 CHECK (reminders IN (0, 1));
-- The start that the people booked were reminded of. A session that is moved afterwards is reminded of again.
ALTER TABLE sessions ADD COLUMN reminded_for INTEGER;
