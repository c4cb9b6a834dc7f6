-- needs: ipv4_network, ipv4_number, ipv4_prefix
-- Whether an IPv4 address lies in a CIDR range; NULL where one of them is no address.
-- Kusto: "ipv4_is_in_range()".
CREATE OR REPLACE TEMP MACRO ipv4_in_range(ip_, range_) AS (
    ipv4_network(ipv4_number(ip_), ipv4_prefix(range_)) = ipv4_network(ipv4_number(range_), ipv4_prefix(range_))
);
