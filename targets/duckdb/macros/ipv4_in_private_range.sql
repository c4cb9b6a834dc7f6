-- needs: ipv4_network, ipv4_number, ipv4_prefix
-- Whether an IPv4 address is in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16; NULL where it is no address.
-- Kusto: "ipv4_is_private()".
CREATE OR REPLACE TEMP MACRO ipv4_in_private_range(ip_) AS (
    ipv4_network(ipv4_number(ip_), ipv4_prefix(ip_)) BETWEEN 167772160 AND 184549375
    OR ipv4_network(ipv4_number(ip_), ipv4_prefix(ip_)) BETWEEN 2886729728 AND 2887778303
    OR ipv4_network(ipv4_number(ip_), ipv4_prefix(ip_)) BETWEEN 3232235520 AND 3232301055
);
