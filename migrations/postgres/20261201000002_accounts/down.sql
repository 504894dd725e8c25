ALTER TABLE users DROP COLUMN last_login_on;
ALTER TABLE users DROP COLUMN email_proven_at;
DROP TABLE messages;
DROP TABLE one_time_links;
