-- needs: json_items
-- Text with each of the words replaced by the one at the same index of the other array. Words are looked for in their order and
-- never inside what has been put in: each gets a private-use character (U+E000 and on) first. Elements that are no strings are
-- passed over.
-- Kusto: "replace_strings()".
CREATE OR REPLACE TEMP MACRO replace_texts(text_, words_, rewrites_) AS (
    list_transform(
        [list_filter(
            list_zip(json_items(words_), json_items(rewrites_)),
            lambda replace_pair_: json_type(replace_pair_[1]) = 'VARCHAR' AND json_type(replace_pair_[2]) = 'VARCHAR'
        )],
        lambda replace_pairs_: list_reduce(
            list_transform(
                replace_pairs_,
                lambda replace_word_, replace_mark_at_: {'word': replace_word_[1] ->> '$', 'text': chr(CAST(57343 + replace_mark_at_ AS INTEGER))}
            )
            || list_transform(
                replace_pairs_,
                lambda replace_text_, replace_text_at_: {'word': chr(CAST(57343 + replace_text_at_ AS INTEGER)), 'text': replace_text_[2] ->> '$'}
            ),
            lambda replace_done_, replace_next_: {'word': '', 'text': replace(replace_done_.text, replace_next_.word, replace_next_.text)},
            {'word': '', 'text': text_}
        ).text
    )[1]
);
