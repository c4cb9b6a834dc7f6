-- needs: series_period_scores
-- The periods of a series, best first: lags of 4 up to below half of the length where the autocorrelation has a peak of a least score.
-- A list of {score, lag}.
-- Kusto: "series_periods_detect()".
CREATE OR REPLACE TEMP MACRO series_periods(values_, low_, high_, least_) AS (
    list_transform(
        [series_period_scores(values_)],
        lambda period_scores_: list_transform(
            list_sort(list_transform(
                list_filter(
                    range(4, len(period_scores_) - 1),
                    lambda period_lag_: period_lag_ BETWEEN low_ AND high_ AND period_scores_[period_lag_ + 1] >= least_
                        AND period_scores_[period_lag_ + 1] > period_scores_[period_lag_]
                        AND period_scores_[period_lag_ + 1] >= period_scores_[period_lag_ + 2]
                ),
                lambda period_peak_: {'order': -period_scores_[period_peak_ + 1], 'lag': period_peak_}
            )),
            lambda period_found_: {'score': -period_found_.order, 'lag': period_found_.lag}
        )
    )[1]
);
