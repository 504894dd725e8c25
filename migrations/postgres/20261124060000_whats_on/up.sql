-- What a session says of itself, as words to find it by: sessions that say the same share one listing, so the words of
-- a series are written once, whatever its sessions. A word with a colon says what no text can: `topic:reading`.
CREATE TABLE listing_words (
    listing_id uuid NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (listing_id, word)
);
CREATE INDEX listing_words_word_index ON listing_words (word, listing_id);

-- Made of the words, so it refers to no row of its own. Null: the words are still to be written.
ALTER TABLE sessions ADD COLUMN listing_id uuid;
CREATE INDEX sessions_listing_index ON sessions (listing_id, starts_at, id);

CREATE TABLE venue_words (
    venue_id uuid NOT NULL REFERENCES venues (id),
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (venue_id, word)
);
CREATE INDEX venue_words_word_index ON venue_words (word, venue_id);
CREATE INDEX venues_place_index ON venues (latitude, longitude, id);
