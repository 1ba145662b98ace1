# Shared memory for 10,000 pools, and what a backend keeps for itself after many
# claims, one per transaction.

own_memory()
{
    awk '/^RssAnon/ { print $2 }' "/proc/$1/status"
}

measure_memory()
{
    local pid claiming early claims=$LEADS
    fresh_copy loaded
    figure memory 'shared, 10,000 pools' kB 1 "$(sql -c "SELECT
        sum(allocated_size)::bigint / 1024
        FROM pg_shmem_allocations
        WHERE name ~ '^pool_ext'")"
    [ -n "${FULL:-}" ] || claims=$((LEADS / 4))
    script pool "\\set m random(1, $MEMBERS)
SELECT outcome FROM pool.claim('bench pool', member => 'm' || :m);"
    PGAPPNAME=memory pgbench -n -M prepared -c 1 -t "$claims" \
        -f "$dir/pool.sql" >/dev/null 2>&1 &
    claiming=$!
    until [ "$(sql -c 'SELECT count(*) > 2000 FROM (SELECT FROM pool.event
        WHERE kind = $$claimed$$ LIMIT 2001) e')" = t ]; do sleep 0.1; done
    pid=$(sql -c "SELECT pid FROM pg_stat_activity
        WHERE application_name = 'memory'")
    early=$(own_memory "$pid")
    figure memory "a backend's own, after 2,000 claims" kB 1 "$early"
    while kill -0 "$claiming" 2>/dev/null; do
        early=$(own_memory "$pid" 2>/dev/null | grep . || echo "$early")
        sleep 0.2
    done
    figure memory "a backend's own, after $claims claims" kB 1 "$early"
}
