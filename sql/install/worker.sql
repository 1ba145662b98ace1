-- The background worker (worker_status.c).

CREATE FUNCTION pool.worker_status(
    OUT last_tick timestamptz, OUT duration_ms numeric, OUT done bigint,
    OUT backlog bigint, OUT oldest_due timestamptz, OUT errors bigint,
    OUT last_error text, OUT state text, OUT active boolean)
    AS 'MODULE_PATHNAME', 'pool_worker_status'
    LANGUAGE C STABLE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pool.worker_status() IS
    'What the background worker does in this database: end, duration and '
    'number of leads and rows of its last run, or of tick() if that came '
    'later (NULL if there was none; without preload only the end, give or '
    'take ten minutes); '
    'leads whose time has come and since when; errors since the server '
    'started, and the last one without data; state: not preloaded, standby, '
    'disabled (pool_ext.worker_enabled), waiting for resume(), idle or '
    'running; active: whether resume() is not needed. One row.';
