-- needs: json_items
-- A series with the missing values replaced by the last value before them.
-- Kusto: "series_fill_forward()".
CREATE OR REPLACE TEMP MACRO series_filled_forward(series_) AS (
    to_json(list_transform(
        [json_items(series_)],
        lambda forward_items_: list_transform(
            forward_items_,
            lambda forward_el_, forward_at_: list_filter(forward_items_[1:forward_at_], lambda forward_known_: json_type(forward_known_) <> 'NULL')[-1]
        )
    )[1])
);
