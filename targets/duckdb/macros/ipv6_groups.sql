-- needs: ipv4_number
-- The 32 hexadecimal digits of an IPv6 or IPv4 address (IPv4 as ::ffff:a.b.c.d; a prefix length is passed over), NULL where it is none.
-- Kusto: "parse_ipv6()".
CREATE OR REPLACE TEMP MACRO ipv6_groups(ip_) AS (
    list_transform(
        [lower(CASE WHEN ipv4_number(ltrim(trim(ip_), ':')) IS NOT NULL THEN '::ffff:' ELSE '' END || split_part(split_part(regexp_replace(trim(ip_), '^::(\d+\.)', '\1'), '/', 1), '%', 1))],
        lambda ipv6_text_: list_transform(
            [CASE WHEN contains(ipv6_text_, '.') AND ipv4_number(regexp_extract(ipv6_text_, '[0-9.]+$')) IS NOT NULL
                THEN regexp_replace(ipv6_text_, '[0-9.]+$', '') || format('{:x}:{:x}',
                    ipv4_number(regexp_extract(ipv6_text_, '[0-9.]+$')) // 65536, ipv4_number(regexp_extract(ipv6_text_, '[0-9.]+$')) % 65536)
                ELSE ipv6_text_ END],
            lambda ipv6_hex_: CASE
                WHEN regexp_full_match(ipv6_hex_, '(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}') THEN
                    array_to_string(list_transform(string_split(ipv6_hex_, ':'), lambda ipv6_part_: lpad(ipv6_part_, 4, '0')), '')
                WHEN regexp_full_match(ipv6_hex_, '(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?')
                    AND len(regexp_extract_all(ipv6_hex_, '[0-9a-f]+')) <= 7 THEN
                    rpad(array_to_string(list_transform(regexp_extract_all(split_part(ipv6_hex_, '::', 1), '[0-9a-f]+'), lambda ipv6_left_: lpad(ipv6_left_, 4, '0')), ''),
                        CAST(32 - 4 * len(regexp_extract_all(split_part(ipv6_hex_, '::', 2), '[0-9a-f]+')) AS INTEGER), '0')
                    || array_to_string(list_transform(regexp_extract_all(split_part(ipv6_hex_, '::', 2), '[0-9a-f]+'), lambda ipv6_right_: lpad(ipv6_right_, 4, '0')), '')
            END
        )[1]
    )[1]
);
