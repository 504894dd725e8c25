DROP INDEX session_series_text_index;
ALTER TABLE session_series DROP COLUMN text_bytes;
ALTER TABLE session_series ADD COLUMN text_bytes INTEGER NOT NULL GENERATED ALWAYS AS
    (length(CAST(title AS BLOB)) + coalesce(length(CAST(description AS BLOB)), 0)
        + coalesce(length(CAST(facilitator AS BLOB)), 0) + length(CAST(topics AS BLOB))
        + length(CAST(accessibility AS BLOB))) VIRTUAL;
CREATE INDEX session_series_text_index ON session_series (partner_id, text_bytes);
ALTER TABLE session_series DROP COLUMN particulars;
ALTER TABLE wordings DROP COLUMN particulars;
