ALTER TABLE sessions DROP COLUMN reminded_for;
ALTER TABLE members DROP COLUMN reminders;
