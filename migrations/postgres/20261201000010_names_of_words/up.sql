-- The keys of a member's names and all words that they are found by, each behind a space. So the index of one word tells
-- who has the others too. As many letters as fit into an entry of an index. Two frequent words of a name took a walk through all members.
ALTER TABLE member_words ADD COLUMN names text COLLATE "C" NOT NULL DEFAULT '';
UPDATE member_words SET names = (
    SELECT left(' ' || m.family_key || ' ' || m.given_key || ' ' || (
        SELECT string_agg(w.word, ' ') FROM member_words w WHERE w.member_id = m.id), 375)
    FROM members m WHERE m.id = member_words.member_id);
DROP INDEX member_words_word_index;
CREATE INDEX member_words_word_index ON member_words (word, names, member_id);

-- Most members were merged into no other, and an index of them would be walked for nothing.
DROP INDEX members_merged_index;
CREATE INDEX members_merged_index ON members (merged_into) WHERE merged_into IS NOT NULL;
