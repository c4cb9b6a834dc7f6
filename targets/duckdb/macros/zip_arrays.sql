-- needs: json_items
-- Arrays put together: an array with, for each index, an array of the elements at that index, null where an array is shorter.
-- Kusto: "zip()".
CREATE OR REPLACE TEMP MACRO zip_arrays(arrays_) AS (
    to_json(list_transform(
        range(1, 1 + CAST(list_max(list_transform(arrays_, lambda zip_len_: coalesce(json_array_length(zip_len_), 0))) AS BIGINT)),
        lambda zip_at_: list_transform(arrays_, lambda zip_el_: json_items(zip_el_)[zip_at_])
    ))
);
