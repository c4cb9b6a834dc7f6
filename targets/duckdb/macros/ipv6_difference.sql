-- needs: ipv6_groups, ipv6_network, ipv6_prefix
-- 0 where two addresses are the same under the shortest of their prefix lengths and the one given, -1 or 1 where the first is
-- less or greater; NULL where one of them is no address.
-- Kusto: "ipv6_compare()".
CREATE OR REPLACE TEMP MACRO ipv6_difference(left_, right_, prefix_) AS (
    CASE
        WHEN ipv6_network(ipv6_groups(left_), least(ipv6_prefix(left_), ipv6_prefix(right_), prefix_))
            = ipv6_network(ipv6_groups(right_), least(ipv6_prefix(left_), ipv6_prefix(right_), prefix_)) THEN 0::BIGINT
        WHEN ipv6_groups(left_) < ipv6_groups(right_) THEN -1
        WHEN ipv6_groups(left_) > ipv6_groups(right_) THEN 1
    END
);
