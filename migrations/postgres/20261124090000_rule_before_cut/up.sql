-- Where a series was split: whether the rule's session on that day is before the cut, and so its own, wherever it moves.
ALTER TABLE session_series ADD COLUMN rule_before_cut boolean NOT NULL DEFAULT false;
-- Until now a rule that moved before the cut was kept from that day by an exclusion.
UPDATE session_series SET rule_before_cut = true
WHERE ends_before IS NOT NULL AND substr(local_start, 12) < substr(ends_before, 12)
    AND excluded::text NOT LIKE '%' || substr(ends_before, 1, 11) || substr(local_start, 12) || '%';
