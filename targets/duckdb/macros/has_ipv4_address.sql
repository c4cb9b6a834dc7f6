-- needs: ipv4_number
-- Whether a text has the IPv4 address with no letter or digit beside it.
-- Kusto: "has_ipv4()".
CREATE OR REPLACE TEMP MACRO has_ipv4_address(text_, ip_) AS (
    ipv4_number(ip_) IS NOT NULL AND NOT contains(ip_, '/')
    AND regexp_matches(coalesce(text_, ''), '(?:^|[^0-9A-Za-z.])' || regexp_escape(ip_) || '(?:$|[^0-9A-Za-z.]|\.(?:$|[^0-9A-Za-z]))')
);
