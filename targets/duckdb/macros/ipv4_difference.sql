-- needs: ipv4_network, ipv4_number, ipv4_prefix
-- 0 where two IPv4 addresses are the same under the shortest of their prefix lengths and the one given, -1 or 1 where the first is
-- less or greater; NULL where one of them is no address.
-- Kusto: "ipv4_compare()".
CREATE OR REPLACE TEMP MACRO ipv4_difference(left_, right_, prefix_) AS (
    CAST(sign(
        ipv4_network(ipv4_number(left_), least(ipv4_prefix(left_), ipv4_prefix(right_), prefix_))
        - ipv4_network(ipv4_number(right_), least(ipv4_prefix(left_), ipv4_prefix(right_), prefix_))
    ) AS BIGINT)
);
