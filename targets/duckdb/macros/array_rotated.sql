-- needs: json_items
-- The elements moved to the left by a number of places, what falls out at one end comes in at the other.
-- Kusto: "array_rotate_left()".
CREATE OR REPLACE TEMP MACRO array_rotated(json_, places_) AS (
    to_json(list_transform(
        json_items(json_),
        lambda rotated_el_, rotated_at_: json_items(json_)[
            ((rotated_at_ - 1 + places_) % len(json_items(json_)) + len(json_items(json_))) % len(json_items(json_)) + 1]
    ))
);
