-- needs: ipv6_groups
-- reads: geo_ip_ranges
-- Where an IP address is, as a JSON object (country, state, city, latitude, longitude); NULL where no range has it.
-- Kusto has a copy of a commercial data base for this; here it is an input, the table geo_ip_ranges:
--   first_ip VARCHAR, last_ip VARCHAR   the range, both ends included, as 32 hexadecimal digits of IPv6 (IPv4 as ::ffff:a.b.c.d, so
--                                       1.2.3.4 is 00000000000000000000ffff01020304): what ipv6_groups('1.2.3.4') gives
--   country VARCHAR, state VARCHAR, city VARCHAR, latitude DOUBLE, longitude DOUBLE
-- Ranges that have a common address: the one that starts last counts. The table has to be there before the macro is made.
-- Kusto: "geo_info_from_ip_address()".
CREATE OR REPLACE TEMP MACRO geo_of_ip(ip_) AS (
    (
        SELECT max_by(
            json_object('country', ranges_.country, 'state', ranges_.state, 'city', ranges_.city, 'latitude', ranges_.latitude, 'longitude', ranges_.longitude),
            ranges_.first_ip
        )
        FROM geo_ip_ranges AS ranges_
        WHERE ranges_.first_ip <= ipv6_groups(ip_) AND ranges_.last_ip >= ipv6_groups(ip_)
    )
);
