-- Duplicates and merging: who may be registered twice, and records that were merged into another.

-- What the names sound like: to look up names that are spelt in another way. The binary fills it in for members who are
-- there already.
ALTER TABLE members ADD COLUMN sound_key TEXT NOT NULL DEFAULT '';
-- The record that holds everything of this person now. The row itself is empty then.
ALTER TABLE members ADD COLUMN merged_into BLOB REFERENCES members (id);
-- When everything that tells who the person is was deleted.
ALTER TABLE members ADD COLUMN erased_at INTEGER CHECK (erased_at IS NULL OR merged_into IS NULL);
CREATE INDEX members_merged_index ON members (merged_into);
-- Duplicates are looked up among the members who are neither merged nor erased.
DROP INDEX members_date_of_birth_index;
CREATE INDEX members_birthday_index ON members (date_of_birth, sound_key) WHERE merged_into IS NULL AND erased_at IS NULL;
CREATE INDEX members_sound_index ON members (sound_key) WHERE merged_into IS NULL AND erased_at IS NULL;
DROP INDEX members_email_key_index;
CREATE INDEX members_email_key_index ON members (email_key) WHERE merged_into IS NULL AND erased_at IS NULL;
DROP INDEX members_phone_index;
CREATE INDEX members_phone_index ON members (phone) WHERE merged_into IS NULL AND erased_at IS NULL;
DROP INDEX members_postcode_index;
CREATE INDEX members_postcode_index ON members (postcode) WHERE merged_into IS NULL AND erased_at IS NULL;
-- The members who changed since the nightly look for duplicates.
CREATE INDEX members_updated_index ON members (updated_at, id);

-- Two members who may be one person.
CREATE TABLE possible_duplicates (
    a BLOB NOT NULL REFERENCES members (id),
    b BLOB NOT NULL REFERENCES members (id),
    score INTEGER NOT NULL,
    because TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'not_same', 'merged')),
    decided_by BLOB,
    decided_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (a, b),
    CHECK (a < b)
) STRICT;
CREATE INDEX possible_duplicates_status_index ON possible_duplicates (status, score, a, b);
CREATE INDEX possible_duplicates_b_index ON possible_duplicates (b, a);

-- How far the nightly look for duplicates has come: the row whose change was looked at last.
CREATE TABLE duplicate_searches (
    name TEXT PRIMARY KEY,
    changed_at INTEGER NOT NULL,
    last_id BLOB NOT NULL
) STRICT;

-- What was merged. `undo` says how to take it back; it is deleted after 30 days.
CREATE TABLE member_merges (
    id BLOB PRIMARY KEY,
    into_id BLOB NOT NULL REFERENCES members (id),
    from_id BLOB NOT NULL REFERENCES members (id),
    undo TEXT,
    done_by BLOB NOT NULL,
    undone_at INTEGER,
    undone_by BLOB,
    undo_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (into_id <> from_id),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL))
) STRICT;
CREATE INDEX member_merges_into_index ON member_merges (into_id, id);
CREATE INDEX member_merges_from_index ON member_merges (from_id, id);
CREATE INDEX member_merges_undo_index ON member_merges (undo_until) WHERE undo IS NOT NULL;
