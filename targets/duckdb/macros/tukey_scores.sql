-- needs: normal_quantile
-- How far each value lies outside of the range between two percentiles, in widths of the range; 0 inside, for NULL, and for the
-- value that means missing. Percentiles are interpolated linearly. For other percentiles than the quartiles the score is scaled so that 1.5 is
-- as far from the mean of a normal distribution as with quartiles (2.698 standard deviations): factor 2.714 for 10/90.
-- The documentation does not give the scale; with it, the documented examples of series_decompose_anomalies() come out as described.
-- A range of width 0 counts as 1e-9: where nearly all values are the same, each other value is an outlier.
-- Kusto: "series_outliers()".
CREATE OR REPLACE TEMP MACRO tukey_scores(values_, low_, high_, missing_) AS (
    list_transform(
        [list_transform(values_, lambda tukey_raw_: CASE WHEN tukey_raw_ IS DISTINCT FROM missing_ THEN tukey_raw_ END)],
        lambda tukey_values_: list_transform(
            [{'low': CAST(list_aggregate(tukey_values_, 'quantile_cont', low_) AS DOUBLE), 'high': CAST(list_aggregate(tukey_values_, 'quantile_cont', high_) AS DOUBLE)}],
            lambda tukey_range_: list_transform(
                [greatest(tukey_range_.high - tukey_range_.low, 1e-9 * greatest(1.0, abs(tukey_range_.low), abs(tukey_range_.high)))],
                lambda tukey_width_: list_transform(tukey_values_, lambda tukey_value_: CASE
                    WHEN tukey_value_ > tukey_range_.high THEN (tukey_value_ - tukey_range_.high) / tukey_width_
                        * 1.5 * (normal_quantile(high_) - normal_quantile(low_)) / (4 * normal_quantile(0.75) - normal_quantile(high_))
                    WHEN tukey_value_ < tukey_range_.low THEN (tukey_value_ - tukey_range_.low) / tukey_width_
                        * 1.5 * (normal_quantile(high_) - normal_quantile(low_)) / (4 * normal_quantile(0.75) + normal_quantile(low_))
                    ELSE 0.0::DOUBLE
                END)
            )[1]
        )[1]
    )[1]
);
