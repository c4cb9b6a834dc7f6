-- The time of the run in UTC, whatever the time zone of the session: Kusto's now().
CREATE OR REPLACE TEMP MACRO utc_now() AS make_timestamp(epoch_us(now()));
