DROP TABLE series_listings;
