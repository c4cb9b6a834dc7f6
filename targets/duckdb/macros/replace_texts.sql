-- needs: json_texts
-- Text with each of the words replaced by the one at the same index of the other array. Words are looked for in their order and
-- never inside what has been put in: each gets a private-use character (U+E000 and on) first.
-- Kusto: "replace_strings()".
CREATE OR REPLACE TEMP MACRO replace_texts(text_, words_, rewrites_) AS (
    list_reduce(
        list_transform(
            json_texts(words_),
            lambda replace_word_, replace_mark_at_: {'word': replace_word_, 'text': chr(CAST(57343 + replace_mark_at_ AS INTEGER))}
        )
        || list_transform(
            json_texts(rewrites_),
            lambda replace_text_, replace_text_at_: {'word': chr(CAST(57343 + replace_text_at_ AS INTEGER)), 'text': replace_text_}
        ),
        lambda replace_done_, replace_next_: {'word': '', 'text': replace(replace_done_.text, replace_next_.word, replace_next_.text)},
        {'word': '', 'text': text_}
    ).text
);
