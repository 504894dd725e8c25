-- What people want to know before they come: picture, price, ages, what to bring, languages, whom to ask. One JSON object,
-- {} where nothing is stated. A session has it with its wording, so that writing sessions costs what it did.
ALTER TABLE session_series ADD COLUMN particulars jsonb NOT NULL DEFAULT '{}';
ALTER TABLE wordings ADD COLUMN particulars jsonb NOT NULL DEFAULT '{}';

-- The text of a series has these texts too.
ALTER TABLE session_series DROP COLUMN text_bytes;
ALTER TABLE session_series ADD COLUMN text_bytes integer NOT NULL GENERATED ALWAYS AS
    (octet_length(title) + coalesce(octet_length(description), 0) + coalesce(octet_length(facilitator), 0)
        + octet_length(replace(topics::text, ', ', ',')) + octet_length(replace(accessibility::text, ', ', ','))
        + octet_length(coalesce(particulars ->> 'price_note', '')
            || coalesce(particulars ->> 'what_to_bring', '')
            || coalesce(particulars #>> '{image,url}', '')
            || coalesce(particulars #>> '{image,alt}', '')
            || coalesce(particulars #>> '{public_contact,email}', '')
            || coalesce(particulars #>> '{public_contact,phone}', '')
            || coalesce(replace((particulars -> 'languages')::text, ', ', ','), ''))) STORED;
CREATE INDEX session_series_text_index ON session_series (partner_id, text_bytes);
