-- needs: decomposed, json_numbers
-- A series taken apart: {baseline, seasonal, trend, residual}, JSON arrays.
-- Kusto: "series_decompose()".
CREATE OR REPLACE TEMP MACRO decompose_series(series_, seasonality_, trend_, test_points_, threshold_) AS (
    list_transform(
        [decomposed(json_numbers(series_), seasonality_, trend_, test_points_, threshold_)],
        lambda parts_: {'baseline': to_json(parts_.baseline), 'seasonal': to_json(parts_.seasonal), 'trend': to_json(parts_.trend), 'residual': to_json(parts_.residual)}
    )[1]
);
