-- Number of places where the text has the word; places may overlap. With kind 'regex', matches of a regular expression, which don't.
-- Kusto: "countof()".
CREATE OR REPLACE TEMP MACRO text_count(text_, word_, kind_) AS (
    CASE WHEN kind_ = 'regex' THEN len(regexp_extract_all(coalesce(text_, ''), coalesce(word_, '')))
        ELSE len(list_filter(
            range(length(coalesce(text_, '')) - length(coalesce(word_, '')) + 1),
            lambda count_at_: substring(text_, count_at_ + 1, length(coalesce(word_, ''))) = coalesce(word_, '')
        ))
    END
);
