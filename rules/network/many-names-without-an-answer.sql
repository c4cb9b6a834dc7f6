-- SPDX-License-Identifier: Apache-2.0 OR MIT
-- Id          : f3f0b0d2-5f0e-4a39-9d0b-0a8f3c6f2a77
-- Title       : Many names asked for that do not exist
-- Description : A client asks for more than 50 different names within ten minutes of which none exists, and they are most of what it asks for. Programs that compute the names of their servers do so.
-- Severity    : Medium
-- Tactics     : CommandAndControl
-- MITRE       : T1568.002
-- Frequency   : 1h   Period: 1h

SELECT
    ClientIP,
    time_bucket(INTERVAL '10 minutes', TimeGenerated) AS slot,
    count(DISTINCT Name) FILTER (WHERE ResultCode = 3) AS missing_names,
    count(*) AS queries
FROM DnsEvents
WHERE TimeGenerated > now() - INTERVAL '1 hour'
    AND ClientIP IS NOT NULL
    AND Name NOT LIKE '%.in-addr.arpa'
GROUP BY ALL
HAVING missing_names > 50 AND missing_names * 2 > queries
