-- needs: json_numbers
-- Least and greatest value with their indexes, average, standard deviation and variance (of a sample) of a series. A series with
-- a value that is no finite number has none of them, unless such values are to be passed over.
-- Kusto: "series_stats()".
CREATE OR REPLACE TEMP MACRO series_summary(series_, finite_only_) AS (
    list_transform(
        [list_transform(json_numbers(series_), lambda summary_raw_: CASE WHEN isfinite(summary_raw_) THEN summary_raw_ END)],
        lambda summary_finite_: list_transform(
            [CASE WHEN finite_only_ OR list_count(summary_finite_) = len(summary_finite_) THEN summary_finite_ END],
            lambda summary_values_: {
                'min': list_min(summary_values_),
                'min_idx': CAST(list_position(summary_values_, list_min(summary_values_)) AS BIGINT) - 1,
                'max': list_max(summary_values_),
                'max_idx': CAST(list_position(summary_values_, list_max(summary_values_)) AS BIGINT) - 1,
                'avg': list_avg(summary_values_),
                'stdev': CASE WHEN list_count(summary_values_) = 1 THEN 0.0::DOUBLE ELSE list_stddev_samp(summary_values_) END,
                'variance': CASE WHEN list_count(summary_values_) = 1 THEN 0.0::DOUBLE ELSE list_var_samp(summary_values_) END
            }
        )[1]
    )[1]
);
