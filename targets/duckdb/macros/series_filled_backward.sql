-- needs: json_items
-- A series with the missing values replaced by the first value after them.
-- Kusto: "series_fill_backward()".
CREATE OR REPLACE TEMP MACRO series_filled_backward(series_) AS (
    to_json(list_transform(
        [json_items(series_)],
        lambda backward_items_: list_transform(
            backward_items_,
            lambda backward_el_, backward_at_: list_filter(backward_items_[backward_at_:], lambda backward_known_: json_type(backward_known_) <> 'NULL')[1]
        )
    )[1])
);
