-- The rosters of a partner that may hold wrong rows, whose outcome is still kept row by row: only the newest of them keep it.
CREATE INDEX rosters_with_faults_index ON rosters (partner_id, id)
    WHERE version = 1 AND (status = 'refused' OR mode = 'partial');
