-- needs: ipv6_groups, ipv6_in_range
-- Whether an IPv6 or IPv4 address lies in one of the ranges of a list; NULL where it is no address.
-- Kusto: "ipv6_is_in_any_range()".
CREATE OR REPLACE TEMP MACRO ipv6_in_any_range(ip_, ranges_) AS (
    CASE WHEN ipv6_groups(ip_) IS NOT NULL THEN coalesce(list_bool_or(list_transform(ranges_, lambda any_range6_el_: ipv6_in_range(ip_, any_range6_el_))), false) END
);
