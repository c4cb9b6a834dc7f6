-- needs: line_through
-- The sum of squared distances of values from the line fitted to them.
-- Kusto: "series_fit_2lines()".
CREATE OR REPLACE TEMP MACRO line_rest(values_) AS (
    list_transform(
        [line_through(values_)],
        lambda rest_line_: list_sum(list_transform(values_, lambda rest_y_, rest_at_: pow(rest_y_ - rest_line_.start - rest_line_.slope * (rest_at_ - 1), 2)))
    )[1]
);
