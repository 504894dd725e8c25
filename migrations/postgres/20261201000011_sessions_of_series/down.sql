DROP INDEX sessions_policy_index;
DROP INDEX sessions_series_index;
