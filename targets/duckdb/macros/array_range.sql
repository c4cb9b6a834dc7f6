-- Numbers from a first to at most a last value as a JSON array, at most 1048576; NULL where the step is 0 or one is no finite number.
-- Kusto: "range()".
CREATE OR REPLACE TEMP MACRO array_range(first_, last_, step_) AS (
    CASE WHEN step_ <> 0 AND isfinite((CAST(last_ AS DOUBLE) - first_) / step_) THEN to_json(list_transform(
        range(0, CAST(least(greatest(floor((CAST(last_ AS DOUBLE) - first_) / step_) + 1, 0), 1048576) AS BIGINT)),
        lambda range_at_: first_ + range_at_ * step_
    )) END
);
