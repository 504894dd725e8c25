-- What people want to know before they come: picture, price, ages, what to bring, languages, whom to ask. One JSON object,
-- {} where nothing is stated. A session has it with its wording, so that writing sessions costs what it did.
ALTER TABLE session_series ADD COLUMN particulars TEXT NOT NULL DEFAULT '{}';
ALTER TABLE wordings ADD COLUMN particulars TEXT NOT NULL DEFAULT '{}';

-- The text of a series has these texts too.
DROP INDEX session_series_text_index;
ALTER TABLE session_series DROP COLUMN text_bytes;
ALTER TABLE session_series ADD COLUMN text_bytes INTEGER NOT NULL GENERATED ALWAYS AS
    (length(CAST(title AS BLOB)) + coalesce(length(CAST(description AS BLOB)), 0)
        + coalesce(length(CAST(facilitator AS BLOB)), 0) + length(CAST(topics AS BLOB))
        + length(CAST(accessibility AS BLOB))
        + length(CAST(coalesce(json_extract(particulars, '$.price_note'), '')
            || coalesce(json_extract(particulars, '$.what_to_bring'), '')
            || coalesce(json_extract(particulars, '$.image.url'), '')
            || coalesce(json_extract(particulars, '$.image.alt'), '')
            || coalesce(json_extract(particulars, '$.public_contact.email'), '')
            || coalesce(json_extract(particulars, '$.public_contact.phone'), '')
            || coalesce(json_extract(particulars, '$.languages'), '') AS BLOB))) VIRTUAL;
CREATE INDEX session_series_text_index ON session_series (partner_id, text_bytes);
