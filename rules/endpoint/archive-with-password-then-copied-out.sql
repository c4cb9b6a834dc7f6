-- SPDX-License-Identifier: Apache-2.0 OR MIT
-- Id          : 6b1f8c0d-90d3-4a0e-8a61-2f6c4c1d7b55
-- Title       : Archive with a password made before a copy tool runs
-- Description : On one device an archive program is given a password, and within an hour a program that copies files to the outside runs. Data are packed, and then leave.
-- Severity    : High
-- Tactics     : Collection, Exfiltration
-- MITRE       : T1560.001, T1567.002
-- Frequency   : 1h   Period: 2h

SELECT
    packed.DeviceName,
    packed.Timestamp AS packed_at,
    sent.Timestamp AS sent_at,
    packed.ProcessCommandLine AS archive_command,
    sent.ProcessCommandLine AS copy_command
FROM DeviceProcessEvents AS packed
JOIN DeviceProcessEvents AS sent
    ON packed.DeviceId = sent.DeviceId
    AND sent.Timestamp BETWEEN packed.Timestamp AND packed.Timestamp + INTERVAL '1 hour'
WHERE packed.Timestamp > now() - INTERVAL '2 hours'
    AND sent.Timestamp > now() - INTERVAL '2 hours'
    AND lower(packed.FileName) IN ('rar.exe', 'winrar.exe', '7z.exe', '7za.exe')
    AND regexp_matches(packed.ProcessCommandLine, ' -(hp|p)[^ ]', 'i')
    AND lower(sent.FileName) IN ('rclone.exe', 'megacmd.exe', 'azcopy.exe')
