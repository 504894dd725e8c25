ALTER TABLE session_series DROP COLUMN text_bytes;
ALTER TABLE session_series ADD COLUMN text_bytes integer NOT NULL GENERATED ALWAYS AS
    (octet_length(title) + coalesce(octet_length(description), 0) + coalesce(octet_length(facilitator), 0)
        + octet_length(replace(topics::text, ', ', ',')) + octet_length(replace(accessibility::text, ', ', ','))) STORED;
CREATE INDEX session_series_text_index ON session_series (partner_id, text_bytes);
ALTER TABLE session_series DROP COLUMN particulars;
ALTER TABLE wordings DROP COLUMN particulars;
