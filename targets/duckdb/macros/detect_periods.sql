-- needs: json_numbers, series_periods
-- The best periods of a series and their scores, filled with 0. Peaks below 0.6 are not reported, nor is a multiple of a better period.
-- Kusto: "series_periods_detect()".
CREATE OR REPLACE TEMP MACRO detect_periods(series_, low_, high_, count_) AS (
    list_transform(
        [series_periods(json_numbers(series_), low_, high_, 0.6)],
        lambda detect_all_: list_transform(
            [list_filter(detect_all_, lambda detect_peak_, detect_at_: NOT coalesce(list_bool_or(list_transform(
                detect_all_[1:detect_at_ - 1],
                lambda detect_better_: detect_better_.lag < detect_peak_.lag
                    AND abs(detect_peak_.lag - round(detect_peak_.lag / detect_better_.lag) * detect_better_.lag) <= 0.5 * round(detect_peak_.lag / detect_better_.lag)
            )), false))],
            lambda detect_kept_: {
                'periods': to_json(list_transform(range(1, count_ + 1), lambda detect_lag_at_: coalesce(CAST(detect_kept_[detect_lag_at_].lag AS DOUBLE), 0.0::DOUBLE))),
                'scores': to_json(list_transform(range(1, count_ + 1), lambda detect_score_at_: least(coalesce(detect_kept_[detect_score_at_].score, 0.0::DOUBLE), 1.0::DOUBLE)))
            }
        )[1]
    )[1]
);
