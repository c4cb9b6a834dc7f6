-- needs: json_items
-- Arrays put together: an array with, for each index, an array of the elements at that index, null where an array is shorter.
-- Kusto: "zip()".
CREATE OR REPLACE TEMP MACRO zip_arrays(arrays_) AS (
    to_json(list_transform(
        [list_transform(arrays_, lambda zip_el_: coalesce(json_items(zip_el_), []))],
        lambda zip_all_: list_transform(
            range(1, 1 + CAST(list_max(list_transform(zip_all_, lambda zip_items_: len(zip_items_))) AS BIGINT)),
            lambda zip_at_: list_transform(zip_all_, lambda zip_one_: zip_one_[zip_at_])
        )
    )[1])
);
