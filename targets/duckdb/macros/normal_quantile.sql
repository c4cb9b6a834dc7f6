-- The point below which a standard normal variable lies with the given probability (Acklam's rational approximation, relative
-- error below 1.2e-9).
-- Kusto: used by "series_outliers()" to scale the score of percentiles other than the quartiles.
CREATE OR REPLACE TEMP MACRO normal_quantile(p_) AS (
    CASE WHEN p_ < 0.02425 OR p_ > 0.97575 THEN
        CASE WHEN p_ < 0.5 THEN 1 ELSE -1 END
        * list_transform(
            [sqrt(-2 * ln(least(p_, 1 - p_)))],
            lambda quantile_tail_: (((((-0.007784894002430293e0 * quantile_tail_ - 0.3223964580411365e0) * quantile_tail_ - 2.400758277161838e0) * quantile_tail_
                - 2.549732539343734e0) * quantile_tail_ + 4.374664141464968e0) * quantile_tail_ + 2.938163982698783e0)
                / ((((0.007784695709041462e0 * quantile_tail_ + 0.3224671290700398e0) * quantile_tail_ + 2.445134137142996e0) * quantile_tail_
                + 3.754408661907416e0) * quantile_tail_ + 1)
        )[1]
    ELSE (p_ - 0.5e0) * list_transform(
            [(p_ - 0.5e0) * (p_ - 0.5e0)],
            lambda quantile_square_: (((((-39.69683028665376e0 * quantile_square_ + 220.9460984245205e0) * quantile_square_ - 275.9285104469687e0) * quantile_square_
                + 138.3577518672690e0) * quantile_square_ - 30.66479806614716e0) * quantile_square_ + 2.506628277459239e0)
                / (((((-54.47609879822406e0 * quantile_square_ + 161.5858368580409e0) * quantile_square_ - 155.6989798598866e0) * quantile_square_
                + 66.80131188771972e0) * quantile_square_ - 13.28068155288572e0) * quantile_square_ + 1)
        )[1]
    END
);
