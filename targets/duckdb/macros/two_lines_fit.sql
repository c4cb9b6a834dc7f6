-- needs: line_fit, line_rest
-- Two lines fitted to the two sides of the best split of values: the split with the greatest total rsquare, two points at least on each
-- side; the first one of equals. Each side is fitted as by series_fit_line(), its points counted from 1.
-- Kusto: "series_fit_2lines()".
CREATE OR REPLACE TEMP MACRO two_lines_fit(values_) AS (
    list_transform(
        [list_sort(list_transform(
            range(2, len(values_) - 1),
            lambda lines_split_: {'rest': round(line_rest(values_[1:lines_split_]) + line_rest(values_[lines_split_ + 1:]), 9), 'split': lines_split_}
        ))[1]],
        lambda lines_best_: list_transform(
            [{'left': line_fit(values_[1:lines_best_.split]), 'right': line_fit(values_[lines_best_.split + 1:]),
                'total': list_sum(list_transform(values_, lambda lines_y_: pow(lines_y_ - list_avg(values_), 2))),
                'below': greatest(len(list_filter(values_, lambda lines_known_: lines_known_ IS NOT NULL)) - 1, 1)}],
            lambda lines_fit_: {
                'rsquare': CASE WHEN lines_fit_.total = 0 THEN 1.0::DOUBLE ELSE 1 - lines_best_.rest / lines_fit_.total END,
                'split_idx': lines_best_.split,
                'variance': lines_fit_.total / lines_fit_.below,
                'rvariance': lines_best_.rest / lines_fit_.below,
                'line_fit': to_json(list_concat(CAST(lines_fit_.left.line_fit AS DOUBLE[]), CAST(lines_fit_.right.line_fit AS DOUBLE[]))),
                'right_rsquare': lines_fit_.right.rsquare,
                'right_slope': lines_fit_.right.slope,
                'right_interception': lines_fit_.right.interception,
                'right_variance': lines_fit_.right.variance,
                'right_rvariance': lines_fit_.right.rvariance,
                'left_rsquare': lines_fit_.left.rsquare,
                'left_slope': lines_fit_.left.slope,
                'left_interception': lines_fit_.left.interception,
                'left_variance': lines_fit_.left.variance,
                'left_rvariance': lines_fit_.left.rvariance
            }
        )[1]
    )[1]
);
