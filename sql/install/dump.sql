-- Everything that pg_dump must carry: all tables, and all sequences with them,
-- or ids would begin anew in a restored copy.  No table may hold a row when
-- CREATE EXTENSION has run: it would collide with the dumped one.
SELECT pg_catalog.pg_extension_config_dump('pool.tenant', '');
SELECT pg_catalog.pg_extension_config_dump('pool.calendar', '');
SELECT pg_catalog.pg_extension_config_dump('pool.pool', '');
SELECT pg_catalog.pg_extension_config_dump('pool.member', '');
SELECT pg_catalog.pg_extension_config_dump('pool.membership', '');
SELECT pg_catalog.pg_extension_config_dump('pool.timer_rule', '');
SELECT pg_catalog.pg_extension_config_dump('pool.access_grant', '');
SELECT pg_catalog.pg_extension_config_dump('pool.installation', '');
SELECT pg_catalog.pg_extension_config_dump('pool.lead_state', '');
SELECT pg_catalog.pg_extension_config_dump('pool.lead_data', '');
SELECT pg_catalog.pg_extension_config_dump('pool.identity', '');
SELECT pg_catalog.pg_extension_config_dump('pool.member_state', '');
SELECT pg_catalog.pg_extension_config_dump('pool.membership_state', '');
SELECT pg_catalog.pg_extension_config_dump('pool.event', '');
SELECT pg_catalog.pg_extension_config_dump('pool.request_log', '');
SELECT pg_catalog.pg_extension_config_dump('pool.timer_recheck', '');
SELECT pg_catalog.pg_extension_config_dump('pool.rollup_day', '');
SELECT pg_catalog.pg_extension_config_dump('pool.rollup_member', '');
SELECT pg_catalog.pg_extension_config_dump('pool.rollup_state', '');
SELECT pg_catalog.pg_extension_config_dump('pool.purge_horizon', '');
SELECT pg_catalog.pg_extension_config_dump('pool.lead_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.ticket_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.tenant_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.pool_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.member_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pool.timer_rule_id_seq', '');
