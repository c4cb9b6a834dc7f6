-- Regular expression of a term: a term is a run of letters and digits, and its border is looked for only beside a letter or
-- digit of what is looked for (`has "10."` tests the left side alone).
-- Kusto: "String operators: understanding string terms".
CREATE OR REPLACE TEMP MACRO term_pattern(term_, left_, right_) AS (
    concat(
        CASE WHEN left_ AND regexp_matches(term_, '^[\p{L}\p{N}]') THEN '(?:^|[^\p{L}\p{N}])' ELSE '' END,
        regexp_escape(term_),
        CASE WHEN right_ AND regexp_matches(term_, '[\p{L}\p{N}]$') THEN '(?:$|[^\p{L}\p{N}])' ELSE '' END
    )
);
