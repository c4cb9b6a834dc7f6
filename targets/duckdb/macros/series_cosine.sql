-- needs: series_pairs
-- The cosine of the angle between two series; places where one has no number are passed over. NULL for series of unequal length.
-- Kusto: "series_cosine_similarity()".
CREATE OR REPLACE TEMP MACRO series_cosine(left_, right_) AS (
    CASE WHEN coalesce(json_array_length(left_) = json_array_length(right_), true) THEN list_transform(
        [list_filter(series_pairs(left_, right_), lambda cosine_known_: cosine_known_.a IS NOT NULL AND cosine_known_.b IS NOT NULL)],
        lambda cosine_pairs_: list_sum(list_transform(cosine_pairs_, lambda cosine_ab_: cosine_ab_.a * cosine_ab_.b))
            / sqrt(list_sum(list_transform(cosine_pairs_, lambda cosine_a_: cosine_a_.a * cosine_a_.a)) * list_sum(list_transform(cosine_pairs_, lambda cosine_b_: cosine_b_.b * cosine_b_.b)))
    )[1] END
);
