-- Triggers on the configuration, and on the rows that follow from it.

------------------------------------------------------------------------
-- What a row must be like (config_check.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.check_tenant() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_tenant'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_tenant() IS
    'Trigger: constraints (with hints), time zone; the id stays.';
CREATE TRIGGER check_tenant BEFORE INSERT OR UPDATE ON pool.tenant
    FOR EACH ROW EXECUTE FUNCTION pool.check_tenant();

CREATE FUNCTION pool.check_pool() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_pool'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_pool() IS
    'Trigger: constraints (with hints), time zone, intervals; id and tenant '
    'stay.';
CREATE TRIGGER check_pool BEFORE INSERT OR UPDATE ON pool.pool
    FOR EACH ROW EXECUTE FUNCTION pool.check_pool();

CREATE FUNCTION pool.check_member() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_member'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_member() IS
    'Trigger: constraints (with hints), time zone, login; id and tenant stay.';
CREATE TRIGGER check_member BEFORE INSERT OR UPDATE ON pool.member
    FOR EACH ROW EXECUTE FUNCTION pool.check_member();

CREATE FUNCTION pool.check_membership() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_membership'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_membership() IS
    'Trigger: a row without a tenant gets that of its pool.';
CREATE TRIGGER check_membership BEFORE INSERT OR UPDATE ON pool.membership
    FOR EACH ROW EXECUTE FUNCTION pool.check_membership();

CREATE FUNCTION pool.check_timer_rule() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_timer_rule'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_timer_rule() IS
    'Trigger: intervals; a row without a tenant gets that of its pool.';
CREATE TRIGGER check_timer_rule BEFORE INSERT OR UPDATE ON pool.timer_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_timer_rule();

CREATE FUNCTION pool.check_rule() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_check_rule'
    LANGUAGE C;
COMMENT ON FUNCTION pool.check_rule() IS
    'Trigger: intervals, conditions, strategies; a row without a tenant gets '
    'that of its pool.';
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.claim_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.entry_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.score_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.routing_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.approval_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.reward_rule
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();
CREATE TRIGGER check_rule BEFORE INSERT OR UPDATE ON pool.dictionary
    FOR EACH ROW EXECUTE FUNCTION pool.check_rule();

------------------------------------------------------------------------
-- Caches (config_trigger.c).  In force in a restore and for replicated rows
-- too: apply workers fire row triggers only.
------------------------------------------------------------------------

CREATE FUNCTION pool.config_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_config_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.config_written() IS
    'Trigger: what backends remember of the configuration is out of date.';

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.tenant ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.tenant
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.tenant
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.pool
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.pool ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.pool
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.pool
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.member
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.member ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.member
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.member
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.membership
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.membership ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.membership
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.membership
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.timer_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.timer_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.timer_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.timer_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.installation
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.installation ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.installation
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.installation
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.access_grant
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.access_grant ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.access_grant
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.access_grant
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.claim_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.claim_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.claim_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.claim_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.entry_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.entry_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.entry_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.entry_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.score_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.score_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.score_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.score_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.routing_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.routing_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.routing_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.routing_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.approval_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.approval_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.approval_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.approval_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.reward_rule
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.reward_rule ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.reward_rule
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.reward_rule
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.dictionary
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.dictionary ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.dictionary
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.dictionary
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.calendar
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.calendar ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.calendar
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.calendar
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.absence
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.absence ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.absence
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.absence
    ENABLE REPLICA TRIGGER config_written_by_replication;

CREATE TRIGGER config_written
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pool.downtime
    FOR EACH STATEMENT EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.downtime ENABLE ALWAYS TRIGGER config_written;
CREATE TRIGGER config_written_by_replication
    AFTER INSERT OR UPDATE OR DELETE ON pool.downtime
    FOR EACH ROW EXECUTE FUNCTION pool.config_written();
ALTER TABLE pool.downtime
    ENABLE REPLICA TRIGGER config_written_by_replication;

------------------------------------------------------------------------
-- What follows (config_trigger.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.tenant_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_tenant_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.tenant_written() IS
    'Trigger: timers that a changed time zone or changed working hours '
    'concern are computed anew.';
CREATE TRIGGER tenant_updated AFTER UPDATE ON pool.tenant
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.tenant_written();

CREATE FUNCTION pool.pool_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_pool_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.pool_written() IS
    'Trigger: pools stay a tree, timers and counters follow; a pool '
    'that leads were in cannot be deleted (23503).';
CREATE TRIGGER pool_inserted AFTER INSERT ON pool.pool
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.pool_written();
CREATE TRIGGER pool_updated AFTER UPDATE ON pool.pool
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.pool_written();
CREATE TRIGGER pool_deleted AFTER DELETE ON pool.pool
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.pool_written();

CREATE FUNCTION pool.member_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_member_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.member_written() IS
    'Trigger: counters mirror the status, absences are written down; a '
    'member who had leads cannot be deleted (23503).';
CREATE TRIGGER member_inserted AFTER INSERT ON pool.member
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.member_written();
CREATE TRIGGER member_updated AFTER UPDATE ON pool.member
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.member_written();
CREATE TRIGGER member_deleted AFTER DELETE ON pool.member
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.member_written();

CREATE FUNCTION pool.membership_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_membership_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.membership_written() IS
    'Trigger: counters come and go with memberships.';
CREATE TRIGGER membership_inserted AFTER INSERT ON pool.membership
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.membership_written();
CREATE TRIGGER membership_updated AFTER UPDATE ON pool.membership
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.membership_written();
CREATE TRIGGER membership_deleted AFTER DELETE ON pool.membership
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.membership_written();

CREATE FUNCTION pool.timer_rule_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_timer_rule_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.timer_rule_written() IS
    'Trigger: timers of the pool are computed anew.';
CREATE TRIGGER timer_rule_inserted AFTER INSERT ON pool.timer_rule
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.timer_rule_written();
CREATE TRIGGER timer_rule_updated AFTER UPDATE ON pool.timer_rule
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.timer_rule_written();
CREATE TRIGGER timer_rule_deleted AFTER DELETE ON pool.timer_rule
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.timer_rule_written();

CREATE FUNCTION pool.calendar_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_calendar_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.calendar_written() IS
    'Trigger: timers that count working time are computed anew.';
CREATE TRIGGER calendar_inserted AFTER INSERT ON pool.calendar
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.calendar_written();
CREATE TRIGGER calendar_updated AFTER UPDATE ON pool.calendar
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.calendar_written();
CREATE TRIGGER calendar_deleted AFTER DELETE ON pool.calendar
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pool.calendar_written();

-- Rows of a restore take the place of those that the triggers above made.
CREATE FUNCTION pool.merge_state() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_merge_state'
    LANGUAGE C;
COMMENT ON FUNCTION pool.merge_state() IS
    'Trigger: lets a restored row take the place of one that a trigger made.';

CREATE TRIGGER merge_state BEFORE INSERT ON pool.member_state
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();

CREATE TRIGGER merge_state BEFORE INSERT ON pool.membership_state
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();

CREATE TRIGGER merge_state BEFORE INSERT ON pool.timer_recheck
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();

CREATE TRIGGER merge_state BEFORE INSERT ON pool.absence
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();
