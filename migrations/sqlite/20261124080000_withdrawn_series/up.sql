-- That it ends is its partner's roster's doing, which no longer names it: one that names it again takes it up again.
ALTER TABLE session_series ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
