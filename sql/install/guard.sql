-- The guard against losing leads, and who learns of writes to them.

-- Drops: the library refuses them, this makes sure that it is loaded.  Updates
-- of the extension wait for workers.
CREATE FUNCTION pool.guard_ddl() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'pool_guard_ddl'
    LANGUAGE C;

COMMENT ON FUNCTION pool.guard_ddl() IS
    'Event trigger: gets the library loaded, which refuses to drop leads '
    '(PO011); an update of the extension waits for what workers are at.';

CREATE EVENT TRIGGER pool_ext_guard ON ddl_command_start
    WHEN TAG IN ('ALTER EXTENSION', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA',
        'ALTER TABLE', 'CREATE FOREIGN TABLE', 'CREATE TABLE',
        'DROP EXTENSION', 'DROP OWNED', 'DROP SCHEMA', 'DROP TABLE')
    EXECUTE FUNCTION pool.guard_ddl();

COMMENT ON EVENT TRIGGER pool_ext_guard IS
    'Against losing leads: see pool_ext.allow_drop. And against an update of '
    'the extension while a worker is at work.';

-- TRUNCATE
CREATE FUNCTION pool.guard_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_guard_truncate'
    LANGUAGE C;

COMMENT ON FUNCTION pool.guard_truncate() IS
    'Trigger: refuses to truncate a table that has rows (PO011), unless '
    'pool_ext.allow_drop is on.';

CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.lead_state
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.lead_data
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.identity
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.event
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.request_log
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.member_state
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.membership_state
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.installation
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.pool
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.member
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON pool.membership
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_truncate();

-- The log.  By statement, so that what the library writes is not slowed.
CREATE FUNCTION pool.guard_event() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_guard_event'
    LANGUAGE C;

COMMENT ON FUNCTION pool.guard_event() IS
    'Trigger: refuses UPDATE and DELETE on the log (55000), but for '
    'purge_events() and erase().';

CREATE TRIGGER guard_event BEFORE UPDATE OR DELETE ON pool.event
    FOR EACH STATEMENT EXECUTE FUNCTION pool.guard_event();

-- Where the data has lived.  By row: the library only raises a generation.
CREATE FUNCTION pool.guard_installation() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_guard_installation'
    LANGUAGE C;

COMMENT ON FUNCTION pool.guard_installation() IS
    'Trigger: refuses to delete where the data has lived, to change which '
    'cluster and database that was, and to lower a generation (PO011), unless '
    'pool_ext.allow_drop is on.';

CREATE TRIGGER guard_installation BEFORE UPDATE OR DELETE ON pool.installation
    FOR EACH ROW EXECUTE FUNCTION pool.guard_installation();

-- Leads written by anybody but the library: a restore, logical replication, a
-- superuser.  Apply workers fire row triggers only, and the library's own
-- writes no statement triggers; in a session like any other the row trigger
-- is off.
CREATE FUNCTION pool.lead_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_lead_written'
    LANGUAGE C;

COMMENT ON FUNCTION pool.lead_written() IS
    'Trigger: what shared memory knows of the queues is out of date.';

CREATE TRIGGER lead_written
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.lead_state
    FOR EACH STATEMENT EXECUTE FUNCTION pool.lead_written();
ALTER TABLE pool.lead_state ENABLE ALWAYS TRIGGER lead_written;

CREATE FUNCTION pool.lead_replicated() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_lead_replicated'
    LANGUAGE C;

COMMENT ON FUNCTION pool.lead_replicated() IS
    'Trigger: the same for rows that come by replication.';

CREATE TRIGGER lead_replicated
    AFTER INSERT OR UPDATE OR DELETE ON pool.lead_state
    FOR EACH ROW EXECUTE FUNCTION pool.lead_replicated();
ALTER TABLE pool.lead_state ENABLE REPLICA TRIGGER lead_replicated;
