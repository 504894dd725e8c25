-- Which listings the sessions of each series are of, published or not. It leads from a listing to its series and from a
-- series to its listings without reading sessions, so that series can be found by what their sessions are found by. The
-- nil id stands for sessions without a series. A row that no session needs any more goes with its listing.
CREATE TABLE series_listings (
    wording_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    published INTEGER NOT NULL CHECK (published IN (0, 1)),
    series_id BLOB NOT NULL,
    PRIMARY KEY (wording_id, slot, published, series_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_listings_series_index ON series_listings (series_id, published, wording_id, slot);
INSERT INTO series_listings (wording_id, slot, published, series_id)
    SELECT DISTINCT wording_id, slot, published, coalesce(series_id, zeroblob(16)) FROM sessions;
-- The words of booking policies, which are added with the rows above.
INSERT INTO listing_words (wording_id, slot, word) SELECT DISTINCT wording_id, slot, ':policy:' || booking_policy FROM sessions;
