-- Whether a member gets reminders by e-mail on the day before.
ALTER TABLE members ADD COLUMN reminders boolean NOT NULL DEFAULT true;
-- The start that the people booked were reminded of. A session that is moved afterwards is reminded of again.
ALTER TABLE sessions ADD COLUMN reminded_for timestamptz;
