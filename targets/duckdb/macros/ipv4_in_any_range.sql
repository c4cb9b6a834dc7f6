-- needs: ipv4_in_range, ipv4_number
-- Whether an IPv4 address lies in one of the CIDR ranges of a list; NULL where it is no address.
-- Kusto: "ipv4_is_in_any_range()".
CREATE OR REPLACE TEMP MACRO ipv4_in_any_range(ip_, ranges_) AS (
    CASE WHEN ipv4_number(ip_) IS NOT NULL THEN coalesce(list_bool_or(list_transform(ranges_, lambda any_range_el_: ipv4_in_range(ip_, any_range_el_))), false) END
);
