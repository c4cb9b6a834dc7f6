-- needs: user_agent_part
-- What a user agent string says of browser, operating system and device, as a JSON object of the parts asked for.
-- Kusto: "parse_user_agent()".
CREATE OR REPLACE TEMP MACRO parse_agent(agent_, parts_) AS (
    json_merge_patch(
        CASE WHEN list_contains(parts_, 'browser') THEN json_object('Browser', user_agent_part(agent_, 'browser')) ELSE '{}'::JSON END,
        CASE WHEN list_contains(parts_, 'os') THEN json_object('OperatingSystem', user_agent_part(agent_, 'os')) ELSE '{}'::JSON END,
        CASE WHEN list_contains(parts_, 'device') THEN json_object('Device', user_agent_part(agent_, 'device')) ELSE '{}'::JSON END
    )
);
