-- needs: line_through, series_periods
-- A series taken apart: {baseline, seasonal, trend, residual}, lists of numbers. In the order of the documentation:
-- 1. the period: the one given; for -1 the best one of series_periods_detect() with at least the score of the threshold; else 0, none
-- 2. seasonal: the median of the learned points in the same phase (all but the last test points are learned)
-- 3. trend of the rest: its mean ('avg'), the least squares line ('linefit'), or 0 ('none'), from the learned points, continued to the end
-- 4. baseline = seasonal + trend, residual = series - baseline; NULL where the value is missing
-- Kusto: "series_decompose()".
CREATE OR REPLACE TEMP MACRO decomposed(values_, seasonality_, trend_, test_points_, threshold_) AS (
    list_transform(
        [{'all': values_, 'learned': values_[1:greatest(len(values_) - test_points_, 0)]}],
        lambda dec_series_: list_transform(
            [CASE WHEN seasonality_ = -1 THEN coalesce(series_periods(dec_series_.learned, 0, 9223372036854775807, threshold_)[1].lag, 0) ELSE greatest(seasonality_, 0) END],
            lambda dec_period_: list_transform(
                [list_transform(range(0, dec_period_), lambda dec_phase_: coalesce(
                    CAST(list_median(list_filter(dec_series_.learned, lambda dec_point_, dec_point_at_: (dec_point_at_ - 1) % dec_period_ = dec_phase_)) AS DOUBLE), 0.0::DOUBLE))],
                lambda dec_phases_: list_transform(
                    [list_transform(range(0, len(dec_series_.all)), lambda dec_at_: CASE WHEN dec_period_ > 0 THEN dec_phases_[dec_at_ % dec_period_ + 1] ELSE 0.0::DOUBLE END)],
                    lambda dec_seasonal_: list_transform(
                        [list_transform(dec_series_.learned, lambda dec_value_, dec_value_at_: dec_value_ - dec_seasonal_[dec_value_at_])],
                        lambda dec_rest_: list_transform(
                            [CASE trend_
                                WHEN 'none' THEN {'slope': 0.0::DOUBLE, 'start': 0.0::DOUBLE}
                                WHEN 'linefit' THEN line_through(dec_rest_)
                                ELSE {'slope': 0.0::DOUBLE, 'start': coalesce(list_avg(dec_rest_), 0.0::DOUBLE)}
                            END],
                            lambda dec_line_: {
                                'baseline': list_transform(dec_seasonal_, lambda dec_base_, dec_base_at_: dec_base_ + dec_line_.start + dec_line_.slope * (dec_base_at_ - 1)),
                                'seasonal': dec_seasonal_,
                                'trend': list_transform(dec_seasonal_, lambda dec_any_, dec_trend_at_: dec_line_.start + dec_line_.slope * (dec_trend_at_ - 1)),
                                'residual': list_transform(dec_series_.all, lambda dec_x_, dec_x_at_: dec_x_ - dec_seasonal_[dec_x_at_] - dec_line_.start - dec_line_.slope * (dec_x_at_ - 1))
                            }
                        )[1]
                    )[1]
                )[1]
            )[1]
        )[1]
    )[1]
);
