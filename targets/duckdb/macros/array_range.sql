-- Numbers from a first to at most a last value as a JSON array; NULL where the step is 0.
-- Kusto: "range()".
CREATE OR REPLACE TEMP MACRO array_range(first_, last_, step_) AS (
    CASE WHEN step_ <> 0 THEN to_json(list_transform(
        range(0, least(greatest(CAST(floor((last_ - first_) / step_) AS BIGINT) + 1, 0), 1048576)),
        lambda range_at_: first_ + range_at_ * step_
    )) END
);
