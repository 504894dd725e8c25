DROP INDEX members_merged_index;
CREATE INDEX members_merged_index ON members (merged_into);
DROP INDEX member_words_word_index;
CREATE INDEX member_words_word_index ON member_words (word, member_id);
ALTER TABLE member_words DROP COLUMN names;
