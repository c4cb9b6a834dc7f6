-- needs: json_items
-- The elements moved to the left by a number of places, the free places filled.
-- Kusto: "array_shift_left()".
CREATE OR REPLACE TEMP MACRO array_shifted(json_, places_, fill_) AS (
    to_json(list_transform(
        [CASE WHEN places_ IS NOT NULL THEN json_items(json_) END],
        lambda shifted_items_: list_transform(
            shifted_items_,
            lambda shifted_el_, shifted_at_: CASE WHEN shifted_at_ + places_ BETWEEN 1 AND len(shifted_items_) THEN shifted_items_[shifted_at_ + places_] ELSE fill_ END
        )
    )[1])
);
