-- needs: json_pointer
-- Whether a property bag has a member, by key or by path ('$.a.b').
-- Kusto: "bag_has_key()".
CREATE OR REPLACE TEMP MACRO bag_has(bag_, key_) AS (
    CASE WHEN json_type(bag_) = 'OBJECT' THEN json_exists(bag_, json_pointer(key_)) END
);
