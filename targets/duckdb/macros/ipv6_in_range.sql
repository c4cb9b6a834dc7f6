-- needs: ipv6_groups, ipv6_network, ipv6_prefix
-- Whether an IPv6 or IPv4 address lies in a range; NULL where one of them is no address.
-- Kusto: "ipv6_is_in_range()".
CREATE OR REPLACE TEMP MACRO ipv6_in_range(ip_, range_) AS (
    ipv6_network(ipv6_groups(ip_), ipv6_prefix(range_)) = ipv6_network(ipv6_groups(range_), ipv6_prefix(range_))
);
