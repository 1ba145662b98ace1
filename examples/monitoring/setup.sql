-- The login of the exporter: statistics, and no lead.  As a superuser.
CREATE ROLE monitor LOGIN;
GRANT pg_monitor TO monitor;
SELECT pool.grant_access('monitor', 'reader');
GRANT SELECT ON pool.stat_consumer TO monitor;
GRANT EXECUTE ON FUNCTION pool.verify(integer) TO monitor;
