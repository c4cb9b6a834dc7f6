-- needs: json_items, json_numbers
-- A series with the missing values between two known ones put on the line between them; at the ends the nearest known value, where edges
-- are to be filled; a constant where nothing is known.
-- In a series of integers the points on a line lose their fraction.
-- Kusto: "series_fill_linear()".
CREATE OR REPLACE TEMP MACRO series_filled_linear(series_, missing_, edges_, constant_) AS (
    to_json(list_transform(
        [list_transform(
            list_transform(json_numbers(series_), lambda linear_raw_: CASE WHEN linear_raw_ IS DISTINCT FROM missing_ THEN linear_raw_ END),
            lambda linear_value_, linear_place_: {'at': linear_place_, 'value': linear_value_}
        )],
        lambda linear_all_: list_transform(
            [list_filter(linear_all_, lambda linear_one_: linear_one_.value IS NOT NULL)],
            lambda linear_known_: list_transform(
                linear_all_,
                lambda linear_item_: CASE WHEN linear_item_.value IS NOT NULL THEN linear_item_.value WHEN len(linear_known_) = 0 THEN constant_ ELSE list_transform(
                    [{'before': list_filter(linear_known_, lambda linear_before_: linear_before_.at < linear_item_.at)[-1],
                        'after': list_filter(linear_known_, lambda linear_after_: linear_after_.at > linear_item_.at)[1]}],
                    lambda linear_gap_: CASE
                        WHEN linear_gap_.before IS NOT NULL AND linear_gap_.after IS NOT NULL THEN list_transform(
                            [linear_gap_.before.value + (linear_gap_.after.value - linear_gap_.before.value)
                                * (linear_item_.at - linear_gap_.before.at) / (linear_gap_.after.at - linear_gap_.before.at)],
                            lambda linear_point_: CASE WHEN list_bool_or(list_transform(json_items(series_), lambda linear_type_: json_type(linear_type_) = 'DOUBLE'))
                                THEN linear_point_ ELSE trunc(linear_point_) END
                        )[1]
                        WHEN edges_ THEN coalesce(linear_gap_.before.value, linear_gap_.after.value)
                    END
                )[1] END
            )
        )[1]
    )[1])
);
