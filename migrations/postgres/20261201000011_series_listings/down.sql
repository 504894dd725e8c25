DELETE FROM listing_words WHERE word >= ':policy:' AND word < ':policy;';
DROP TABLE series_listings;
