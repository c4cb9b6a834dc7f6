-- needs: json_numbers
-- Least and greatest value with their indexes, average, standard deviation and variance (of a sample) of a series.
-- Kusto: "series_stats()".
CREATE OR REPLACE TEMP MACRO series_summary(series_, finite_only_) AS (
    list_transform(
        [list_transform(json_numbers(series_), lambda summary_raw_: CASE WHEN NOT finite_only_ OR isfinite(summary_raw_) THEN summary_raw_ END)],
        lambda summary_values_: {
            'min': list_min(summary_values_),
            'min_idx': CAST(list_position(summary_values_, list_min(summary_values_)) AS BIGINT) - 1,
            'max': list_max(summary_values_),
            'max_idx': CAST(list_position(summary_values_, list_max(summary_values_)) AS BIGINT) - 1,
            'avg': list_avg(summary_values_),
            'stdev': coalesce(list_stddev_samp(summary_values_), 0.0::DOUBLE),
            'variance': coalesce(list_var_samp(summary_values_), 0.0::DOUBLE)
        }
    )[1]
);
