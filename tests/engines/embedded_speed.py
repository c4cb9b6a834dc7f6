#!/usr/bin/env python3
"""How long `run --engine embedded` takes over 5 million events in Parquet, against SQL written by hand for the same rule.

Usage: embedded_speed.py RULEFERRY [ROWS]. Needs the Python package `duckdb` (of the version of the library that is loaded),
RULEFERRY_DUCKDB_LIB, and the seed rules under RULEFERRY_CORPUS. Prints the best of three of each and their ratio.
"""
import json, os, subprocess, sys, tempfile, time
import duckdb

RULE = os.path.join(os.environ.get("RULEFERRY_CORPUS", "../shared"), "seeds", "risky-user-run-command.kql")
NOW = "2026-01-15T12:00:00Z"
EVENTS = """
COPY (SELECT TIMESTAMP '2026-01-15 12:00:00' - INTERVAL 1 SECOND * (n * 7919 % 1209600) AS TimeGenerated,
  CASE n % 5 WHEN 0 THEN 'Policy' ELSE 'Administrative' END AS CategoryValue,
  CASE n % 11 WHEN 0 THEN 'MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION'
    WHEN 1 THEN 'Microsoft.Compute/virtualMachines/extensions/write' ELSE 'Microsoft.Storage/storageAccounts/listKeys/action' END AS OperationNameValue,
  '{{"resource": "vm' || (n % 997) || '", "statusCode": "OK"}}' AS Properties,
  CASE n % 3 WHEN 0 THEN 'Start' ELSE 'Success' END AS ActivityStatusValue,
  'c' || (n % 2000003) AS CorrelationId, '203.0.' || (n % 211) || '.' || (n % 251) AS CallerIpAddress,
  'user' || (n % 5003) || '@corp.example' AS Caller, 'rg' || (n % 101) AS ResourceGroup,
  'sub' || (n % 7) AS SubscriptionId, 'x' || n AS EventDataId, 'Informational' AS Level
  FROM range({rows}) t(n)) TO '{path}' (FORMAT parquet)"""
RISKS = """
COPY (SELECT TIMESTAMP '2026-01-15 12:00:00' - INTERVAL 1 HOUR * n AS TimeGenerated, 'user' || (n * 13) || '@corp.example' AS UserPrincipalName,
  'high' AS RiskLevel, 'unfamiliarFeatures' AS RiskEventType FROM range(300) t(n)) TO '{path}' (FORMAT parquet)"""
# What a person would write.
BY_HAND = """
WITH ops AS (
  SELECT CorrelationId, CallerIpAddress, Caller, ResourceGroup, json_extract_string(Properties, '$.resource') AS VMName,
    list(ActivityStatusValue) AS statuses, max(TimeGenerated) AS TimeGenerated
  FROM read_parquet('{events}')
  WHERE TimeGenerated > TIMESTAMP '2026-01-15 11:00:00' AND CategoryValue = 'Administrative'
    AND lower(OperationNameValue) IN ('microsoft.compute/virtualmachines/runcommand/action', 'microsoft.compute/virtualmachines/extensions/write')
  GROUP BY ALL)
SELECT * FROM ops JOIN (SELECT * FROM read_parquet('{risks}') WHERE TimeGenerated > TIMESTAMP '2026-01-01 12:00:00') r ON ops.Caller = r.UserPrincipalName
"""


def best(run):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        rows = run()
        times.append(time.perf_counter() - start)
    return min(times), rows


def main():
    binary, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        events, risks = f"{folder}/AzureActivity.parquet", f"{folder}/AADUserRiskEvents.parquet"
        duckdb.execute(EVENTS.format(rows=rows, path=events))
        duckdb.execute(RISKS.format(path=risks))

        def by_hand():
            # A process of its own, as the other side is.
            code = f"import duckdb; print(len(duckdb.execute({BY_HAND.format(events=events, risks=risks)!r}).fetchall()))"
            return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)

        def ours():
            command = [binary, "run", RULE, "--data", folder, "--engine", "embedded", "--now", NOW, "--format", "json"]
            out = subprocess.run(command, capture_output=True, text=True)
            if out.returncode:
                sys.exit(out.stderr)
            return len(json.loads(out.stdout)["rows"])

        (hand, hand_rows), (tool, tool_rows) = best(by_hand), best(ours)
        print(f"{rows} events: by hand {hand:.2f} s ({hand_rows} rows), ruleferry {tool:.2f} s ({tool_rows} rows), ratio {tool / hand:.2f}")
        if hand_rows != tool_rows:
            sys.exit("the two do not find the same rows")


main()
