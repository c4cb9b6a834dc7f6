-- SPDX-License-Identifier: Apache-2.0 OR MIT
-- Id          : 0c7a6a5e-3b2f-4d51-9a52-7d2c6f1b8e10
-- Title       : Sign-in from a country that the account never used
-- Description : A successful sign-in within the last hour from a country in which the account had none in the two weeks before. Accounts without any history are left out: they are new.
-- Severity    : Medium
-- Tactics     : InitialAccess
-- MITRE       : T1078.004
-- Frequency   : 1h   Period: 14d

WITH recent AS (
    SELECT UserPrincipalName, Location, IPAddress, TimeGenerated
    FROM SigninLogs
    WHERE TimeGenerated > now() - INTERVAL '1 hour' AND ResultType = '0' AND Location <> ''
),
history AS (
    SELECT DISTINCT lower(UserPrincipalName) AS account, Location
    FROM SigninLogs
    WHERE TimeGenerated BETWEEN now() - INTERVAL '14 days' AND now() - INTERVAL '1 hour'
        AND ResultType = '0' AND Location <> ''
)
SELECT UserPrincipalName AS account, Location, min(TimeGenerated) AS first_seen, count(*) AS sign_ins
FROM recent AS r
WHERE NOT EXISTS (SELECT 1 FROM history AS h WHERE h.account = lower(r.UserPrincipalName) AND h.Location = r.Location)
    AND lower(UserPrincipalName) IN (SELECT account FROM history)
GROUP BY UserPrincipalName, Location
