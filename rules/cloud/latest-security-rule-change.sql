-- SPDX-License-Identifier: Apache-2.0 OR MIT
-- Id          : 8f0c2f4f-7d7a-4d4e-93f1-5f6f1f6f0b29
-- Title       : Security rule of a network group changed by someone new
-- Description : Who made the latest successful change of a security rule within the last hour, where that account changed no such rule in the month before.
-- Severity    : Medium
-- Tactics     : DefenseEvasion
-- MITRE       : T1562.007
-- Frequency   : 1h   Period: 30d

CREATE TEMP VIEW changes AS
SELECT lower(ResourceId) AS rule_id, lower(Caller) AS actor, CallerIpAddress, TimeGenerated
FROM AzureActivity
WHERE OperationNameValue ILIKE 'microsoft.network/networksecuritygroups/securityrules/write'
    AND ActivityStatusValue IN ('Success', 'Succeeded')
    AND ResourceId <> '' AND Caller <> '';

SELECT c.rule_id, c.actor, c.CallerIpAddress, c.TimeGenerated
FROM (
    SELECT * FROM changes
    WHERE TimeGenerated > now() - INTERVAL '1 hour'
    QUALIFY row_number() OVER (PARTITION BY rule_id ORDER BY TimeGenerated DESC) = 1
) AS c
ANTI JOIN (
    SELECT actor FROM changes WHERE TimeGenerated <= now() - INTERVAL '1 hour'
) AS known ON known.actor = c.actor
