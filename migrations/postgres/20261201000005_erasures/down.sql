DROP TABLE retention_reviews;
DROP TABLE erasures;
