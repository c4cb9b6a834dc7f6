-- needs: decomposed, json_numbers, tukey_scores
-- The anomalies of a series: {ad_flag, ad_score, baseline}, JSON arrays. The series is taken apart as by series_decompose(), the residuals are
-- scored as by series_outliers() ('ctukey': 10th to 90th percentile, 'tukey': quartiles), and a score beyond the limit is flagged 1 (up) or -1 (down).
-- Kusto: "series_decompose_anomalies()".
CREATE OR REPLACE TEMP MACRO series_anomalies(series_, limit_, seasonality_, trend_, test_points_, method_, threshold_) AS (
    list_transform(
        [decomposed(json_numbers(series_), seasonality_, trend_, test_points_, threshold_)],
        lambda anomaly_parts_: list_transform(
            [CASE WHEN method_ = 'tukey' THEN tukey_scores(anomaly_parts_.residual, 0.25, 0.75, NULL) ELSE tukey_scores(anomaly_parts_.residual, 0.1, 0.9, NULL) END],
            lambda anomaly_scores_: {
                'ad_flag': to_json(list_transform(anomaly_scores_, lambda anomaly_score_: CASE WHEN anomaly_score_ > limit_ THEN 1 WHEN anomaly_score_ < -limit_ THEN -1 ELSE 0 END)),
                'ad_score': to_json(anomaly_scores_),
                'baseline': to_json(anomaly_parts_.baseline)
            }
        )[1]
    )[1]
);
