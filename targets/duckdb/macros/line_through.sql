-- The least squares line of values over their indexes (from 0), missing ones left out: {slope, start}. Without two values it is flat.
-- Kusto: "series_fit_line()".
CREATE OR REPLACE TEMP MACRO line_through(values_) AS (
    list_transform(
        [{
            'x': list_avg(list_filter(list_transform(values_, lambda line_x_value_, line_x_at_: CASE WHEN line_x_value_ IS NOT NULL THEN CAST(line_x_at_ - 1 AS DOUBLE) END), lambda line_x_: line_x_ IS NOT NULL)),
            'y': list_avg(values_)
        }],
        lambda line_mean_: list_transform(
            [coalesce(
                list_sum(list_transform(values_, lambda line_y_, line_y_at_: (line_y_at_ - 1 - line_mean_.x) * (line_y_ - line_mean_.y)))
                / nullif(list_sum(list_transform(values_, lambda line_z_, line_z_at_: CASE WHEN line_z_ IS NOT NULL THEN pow(line_z_at_ - 1 - line_mean_.x, 2) END)), 0),
                0.0::DOUBLE
            )],
            lambda line_slope_: {'slope': line_slope_, 'start': coalesce(line_mean_.y - line_slope_ * line_mean_.x, 0.0::DOUBLE)}
        )[1]
    )[1]
);
