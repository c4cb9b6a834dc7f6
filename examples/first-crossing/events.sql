-- Six events, all relative to the time of the run given with --now.
INSERT INTO AzureActivity (TimeGenerated, OperationNameValue, ActivityStatusValue, Caller, CallerIpAddress, _ResourceId) VALUES
    -- Started and succeeded: one row with both.
    ('2026-03-18 14:00:00', 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION', 'Start', 'mallory@example.com', '203.0.113.9', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/db01'),
    ('2026-03-18 14:01:00', 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION', 'Success', 'mallory@example.com', '203.0.113.9', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/db01'),
    -- An extension on another machine; what follows the machine's name is no part of it.
    ('2026-03-18 14:10:00', 'Microsoft.Compute/virtualMachines/extensions/write', 'Accept', 'mallory@example.com', '203.0.113.9', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/web01/extensions/script'),
    -- Failed, by a deployer, and too long ago: none of these.
    ('2026-03-18 14:20:00', 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION', 'Failure', 'trudy@example.com', '203.0.113.9', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/db01'),
    ('2026-03-18 14:20:00', 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION', 'Success', 'Deploy@example.com', '198.51.100.7', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/db01'),
    ('2026-03-18 12:00:00', 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION', 'Success', 'mallory@example.com', '203.0.113.9', '/subscriptions/s1/resourcegroups/prod/providers/microsoft.compute/virtualmachines/old01');
