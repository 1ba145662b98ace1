-- Who may do what.  Last of all: nothing of what the modules before have made
-- is for everybody; grant_access() gives roles their share (grant.c).

CREATE FUNCTION pool.grant_access(
    role text, access text, tenant text DEFAULT NULL)
RETURNS void
    AS 'MODULE_PATHNAME', 'pool_grant_access'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pool.grant_access(text, text, text) IS
    'Gives a database role what it needs, for one tenant or all (NULL): '
    'reader sees statistics; member works as the member whose login the '
    'role is; manager also assigns, transfers, reclaims, archives, reopens '
    'and moves; admin writes the configuration (by INSERT, not COPY FROM), '
    'runs tick(), verify(), resume(), purge_events() and erase(); service does all that managers '
    'do, for any member (act_as), and fills pool.intake. Give it to the '
    'login itself or to a group. Errors: 42501 for others than the owner '
    'of the extension, 42704 unknown role, 22004 NULL, 22023 unknown '
    'access or tenant.';

CREATE FUNCTION pool.revoke_access(
    role text, access text, tenant text DEFAULT NULL)
RETURNS void
    AS 'MODULE_PATHNAME', 'pool_revoke_access'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pool.revoke_access(text, text, text) IS
    'Takes from a database role what grant_access() gave it, for one '
    'tenant or all (NULL), but for what another access of the role still '
    'needs. Errors as for grant_access().';

-- An administrator of one tenant has nothing of another.  The owner is above
-- that, and so are the views and the library.  Under policies COPY FROM is for
-- the owner only; others use INSERT.  pg_dump leaves policies of an
-- extension's tables to the extension's script.
CREATE POLICY of_tenant ON pool.tenant USING (pool.sees_tenant(id));
CREATE POLICY of_tenant ON pool.calendar USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.pool USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.member USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.membership
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.timer_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.claim_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.entry_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.score_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.routing_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.approval_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.reward_rule
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.dictionary
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.member_fact
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.rule_version
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.attachment
    USING (pool.sees_tenant(tenant_id));
CREATE POLICY of_tenant ON pool.bypass
    USING (pool.sees_tenant(tenant_id));
ALTER TABLE pool.attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.bypass ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.calendar ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.pool ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.member ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.timer_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.claim_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.entry_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.score_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.routing_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.approval_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.reward_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.dictionary ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.member_fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool.rule_version ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pool FROM PUBLIC;
