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
    'and moves; admin writes the configuration, runs tick(), verify(), '
    'resume(), purge_events() and erase(); service does all that managers '
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

REVOKE ALL ON SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA pool FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pool FROM PUBLIC;
