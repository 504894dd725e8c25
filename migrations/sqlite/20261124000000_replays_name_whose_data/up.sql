-- Whose data a kept answer carries: giving it again is a read of theirs.
ALTER TABLE idempotency_records ADD COLUMN about TEXT NOT NULL DEFAULT '[]';
