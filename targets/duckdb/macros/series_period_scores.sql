-- The autocorrelation of a series for each lag from 0 to half of the length: the sum of products over the sum of squares, by the geometric
-- mean of n and n - lag. Missing values count as the mean. NULL where the values are all the same.
-- Kusto: "series_periods_detect()". The documentation does not say what the score is; this one gives the 0.84 of its example.
CREATE OR REPLACE TEMP MACRO series_period_scores(values_) AS (
    list_transform(
        [{'mean': list_avg(values_), 'size': len(values_)}],
        lambda score_mean_: list_transform(
            [list_transform(values_, lambda score_raw_: coalesce(score_raw_ - score_mean_.mean, 0.0::DOUBLE))],
            lambda score_values_: CASE WHEN list_dot_product(score_values_, score_values_) > 0 THEN list_transform(
                range(0, score_mean_.size // 2 + 1),
                lambda score_lag_: list_dot_product(score_values_[1:score_mean_.size - score_lag_], score_values_[score_lag_ + 1:score_mean_.size])
                    / list_dot_product(score_values_, score_values_) * sqrt(score_mean_.size / (score_mean_.size - score_lag_))
            ) END
        )[1]
    )[1]
);
