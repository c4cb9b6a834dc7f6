-- The arguments of a Windows command line as a JSON array, as CommandLineToArgvW splits it: the program's name ends at its closing quote
-- or at the first blank; after it 2n backslashes and a quote are n backslashes and a quote that opens or closes, 2n + 1 are n
-- backslashes and a literal quote, and two quotes in a quoted part are a literal quote.
-- Kusto: "parse_command_line()".
CREATE OR REPLACE TEMP MACRO command_line_args(line_) AS (
    CASE WHEN coalesce(line_, '') <> '' THEN list_transform(
        [list_reduce(
            list_transform(
                regexp_extract_all(regexp_replace(line_, '^(?:"[^"]*(?:"|$)|[^\s]*)', ''), '\\*"+|\s+|[^\s"\\]+|\\+'),
                lambda args_piece_: {'args': []::VARCHAR[], 'part': args_piece_, 'quotes': 0::BIGINT, 'open': false}
            ),
            lambda args_done_, args_next_: CASE
                WHEN ends_with(args_next_.part, '"') THEN list_transform(
                    [{
                        'slashes': length(regexp_extract(args_next_.part, '^\\*')),
                        'quotes': args_done_.quotes + length(regexp_extract(args_next_.part, '"+$')) - length(regexp_extract(args_next_.part, '^\\*')) % 2
                    }],
                    lambda args_count_: {
                        'args': args_done_.args,
                        'part': args_done_.part || repeat('\', args_count_.slashes // 2) || CASE WHEN args_count_.slashes % 2 = 1 THEN '"' ELSE '' END
                            || repeat('"', args_count_.quotes // 3),
                        'quotes': CASE WHEN args_count_.quotes % 3 = 2 THEN 0 ELSE args_count_.quotes % 3 END,
                        'open': true
                    }
                )[1]
                WHEN regexp_matches(args_next_.part, '^\s') AND args_done_.quotes = 0 THEN
                    CASE WHEN args_done_.open THEN {'args': list_append(args_done_.args, args_done_.part), 'part': '', 'quotes': 0::BIGINT, 'open': false} ELSE args_done_ END
                ELSE {'args': args_done_.args, 'part': args_done_.part || args_next_.part, 'quotes': args_done_.quotes, 'open': true}
            END,
            {'args': [regexp_extract(line_, '^"?([^"]*)', 1)]::VARCHAR[], 'part': '', 'quotes': 0::BIGINT, 'open': false}
        )],
        lambda args_end_: to_json(list_prepend(
            CASE WHEN starts_with(line_, '"') THEN regexp_extract(line_, '^"([^"]*)', 1) ELSE regexp_extract(line_, '^[^\s]*') END,
            (CASE WHEN args_end_.open THEN list_append(args_end_.args, args_end_.part) ELSE args_end_.args END)[2:]
        ))
    )[1] END
);
