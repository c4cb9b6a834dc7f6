-- needs: line_through
-- A line fitted to values: rsquare, slope, variance and rvariance (of a sample), interception (points count from 1, as in the documented example)
-- and the values on the line.
-- NULL where no value is known.
-- Kusto: "series_fit_line()".
CREATE OR REPLACE TEMP MACRO line_fit(values_) AS (
    list_transform(
        [line_through(values_)],
        lambda fit_line_: list_transform(
            [{
                'total': list_sum(list_transform(values_, lambda fit_y_: pow(fit_y_ - list_avg(values_), 2))),
                'rest': list_sum(list_transform(values_, lambda fit_z_, fit_z_at_: pow(fit_z_ - fit_line_.start - fit_line_.slope * (fit_z_at_ - 1), 2))),
                'below': greatest(len(list_filter(values_, lambda fit_known_: fit_known_ IS NOT NULL)) - 1, 1)
            }],
            lambda fit_sum_: CASE WHEN fit_sum_.total IS NOT NULL THEN {
                'rsquare': CASE WHEN fit_sum_.total = 0 THEN 1.0::DOUBLE ELSE 1 - fit_sum_.rest / fit_sum_.total END,
                'slope': fit_line_.slope,
                'variance': fit_sum_.total / fit_sum_.below,
                'rvariance': fit_sum_.rest / fit_sum_.below,
                'interception': fit_line_.start - fit_line_.slope,
                'line_fit': to_json(list_transform(values_, lambda fit_any_, fit_at_: fit_line_.start + fit_line_.slope * (fit_at_ - 1)))
            } END
        )[1]
    )[1]
);
