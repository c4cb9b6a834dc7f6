-- needs: json_items
-- The elements moved to the left by a number of places, what falls out at one end comes in at the other.
-- Kusto: "array_rotate_left()".
CREATE OR REPLACE TEMP MACRO array_rotated(json_, places_) AS (
    to_json(list_transform(
        [CASE WHEN places_ IS NOT NULL THEN json_items(json_) END],
        lambda rotated_items_: list_transform(
            range(0, len(rotated_items_)),
            lambda rotated_at_: rotated_items_[((rotated_at_ + places_) % len(rotated_items_) + len(rotated_items_)) % len(rotated_items_) + 1]
        )
    )[1])
);
