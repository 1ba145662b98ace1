# How often the worker's launcher wakes up in a minute where nothing happens,
# by what the system counts for its process.

wake_ups()
{
    awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"
}

measure_idle()
{
    local pid before after seconds=${QUICK:+20}
    seconds=${seconds:-60}
    sql -d postgres -c 'DROP DATABASE IF EXISTS round WITH (FORCE)' \
        -c 'ALTER SYSTEM SET pool_ext.worker_enabled = on' \
        -c 'SELECT pg_reload_conf()' >/dev/null
    # what there is to do after the load is done first
    sleep 15
    pid=$(sql -d postgres -c "SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'pool_ext launcher'")
    before=$(wake_ups "$pid")
    sleep "$seconds"
    after=$(wake_ups "$pid")
    figure 'idle worker' 'wake-ups a minute' launcher 1 \
        $(((after - before) * 60 / seconds))
    sql -d postgres -c 'ALTER SYSTEM RESET pool_ext.worker_enabled' \
        -c 'SELECT pg_reload_conf()' >/dev/null
}
