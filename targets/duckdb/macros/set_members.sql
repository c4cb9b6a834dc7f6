-- needs: json_items
-- What a dynamic value adds to a set: an array its elements, any other value itself.
-- Kusto: "make_set()", "Set from array column".
CREATE OR REPLACE TEMP MACRO set_members(json_) AS (
    CASE json_type(json_) WHEN 'ARRAY' THEN json_items(json_) ELSE [json_extract(json_, '$')] END
);
