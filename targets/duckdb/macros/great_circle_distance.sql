-- Distance in metres between two points on the earth's sphere (mean radius 6371010 m, as Kusto's); NULL where a coordinate is out of range.
-- Kusto: "geo_distance_2points()".
CREATE OR REPLACE TEMP MACRO great_circle_distance(longitude1_, latitude1_, longitude2_, latitude2_) AS (
    CASE WHEN abs(longitude1_) <= 180 AND abs(longitude2_) <= 180 AND abs(latitude1_) <= 90 AND abs(latitude2_) <= 90 THEN
        2 * 6371010 * asin(least(1.0, sqrt(
            pow(sin(radians(latitude2_ - latitude1_) / 2), 2)
            + cos(radians(latitude1_)) * cos(radians(latitude2_)) * pow(sin(radians(longitude2_ - longitude1_) / 2), 2)
        )))
    END
);
