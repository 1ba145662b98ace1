# A tick that reclaims a tenth of all leads, beside one SQL statement that does
# the same on the rival's tables and on copies of the pool's; claims by eight
# clients beside the worker that reclaims; and a tick with nothing due.

load_owned()
{
    sql -d postgres -c 'CREATE DATABASE owned TEMPLATE loaded STRATEGY file_copy'
    sql -d owned -v leads="$LEADS" -v members="$MEMBERS" -v pool="$pool" \
        -f bench/owned.sql
}

tick_round()
{
    local variant from
    fresh_copy owned
    for variant in $(in_turn "$1" tick statement bare); do
        from=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
        case $variant in
            tick) timed 'tick, ms' 'a tenth due' "$variant" "$1" \
                "SET pool_ext.clock = '$due'; SELECT pool.tick()" ;;
            statement) timed 'tick, ms' 'a tenth due' "$variant" "$1" \
                "SELECT rival.reclaim('$due')" ;;
            bare) timed 'tick, ms' 'a tenth due' "$variant" "$1" \
                "SELECT bare.reclaim('$due')" ;;
        esac
        figure 'tick, WAL per lead' 'a tenth due' "$variant" "$1" \
            "$(sql -c "SELECT round((pg_current_wal_insert_lsn() - '$from')
                / ($LEADS / 10))")"
    done
    expect "$(printf "$((LEADS / 10)) %.0s" 1 2 3)" "SELECT concat_ws(' ',
        (SELECT count(*) FROM pool.event WHERE kind = 'reclaimed'),
        (SELECT count(*) FROM rival.event WHERE kind = 'reclaimed'),
        (SELECT count(*) FROM bare.event WHERE kind = 'reclaimed')) || ' '"
    check_pool
}

# Claims per second alone, and while the worker reclaims, at the time when a
# tenth is due.
beside_round()
{
    local claimed
    fresh_copy owned
    claimed=$(claimed)
    sql -c "ALTER DATABASE round SET pool_ext.clock = '$due'"
    leg 'beside the worker' 8 "$1" 8 alone -T "$LEG"
    worker on
    until [ "$(reclaimed)" -gt 0 ]; do sleep 0.1; done
    leg 'beside the worker' 8 "$1" 8 reclaiming -T "$LEG"
    # it has had enough to do all the time
    expect t "SELECT $(reclaimed) < $LEADS / 10"
    worker off
    sql -c 'ALTER SYSTEM RESET pool_ext.worker_naptime' \
        -c 'SELECT pg_reload_conf()' >/dev/null
    figure 'beside the worker' 8 'reclaimed meanwhile' "$1" \
        $(($(reclaimed) / LEG))
    expect $((claimed + $(done_by alone) + $(done_by reclaiming))) \
        "SELECT $(claimed)"
}

claimed()
{
    sql -c "SELECT count(*) FROM pool.event WHERE kind = 'claimed'"
}

reclaimed()
{
    sql -c "SELECT count(*) FROM pool.event WHERE kind = 'reclaimed'"
}

worker()
{
    sql -c "ALTER SYSTEM SET pool_ext.worker_enabled = $1" \
        -c "ALTER SYSTEM SET pool_ext.worker_naptime = '1s'" \
        -c 'SELECT pg_reload_conf()' >/dev/null
}

# In a session that has ticked before: catalogs are in its caches.  The first
# two lines of the plan's that say so: blocks found and blocks read.
idle_tick()
{
    figure 'tick, nothing due' "$1 leads" buffers 1 "$(sql \
        -c 'DO $$BEGIN PERFORM pool.tick(); END$$' \
        -c 'DO $$BEGIN PERFORM pool.tick(); END$$' \
        -c 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM pool.tick()' |
        sed -n 's/.*"Shared \(Hit\|Read\) Blocks": \([0-9]*\).*/\2/p' |
        head -n 2 | awk '{ n += $1 } END { print n }')"
    expect 0 'SELECT sum(done) FROM pool.tick()'
}

# A database with so many leads that enter with an owner, under a timer.
load_watched()
{
    local from
    sql -d postgres -c 'SET client_min_messages = warning' \
        -c 'DROP DATABASE IF EXISTS round WITH (FORCE)' \
        -c 'CREATE DATABASE round'
    export PGDATABASE=round
    sql -v leads=1000 -v members="$MEMBERS" -f bench/load.sql
    sql -c "INSERT INTO pool.timer_rule (pool_id, name, basis, after)
            VALUES ($pool, 'a month', 'ownership', '30 days')"
    for ((from = 1; from <= $1; from += 250000)); do
        sql -c "INSERT INTO pool.intake (pool, key, owner)
                SELECT 'bench pool', 'w' || i, 'm' || 1 + i % $MEMBERS
                FROM generate_series($from,
                    least($from + 249999, $1)) i"
    done
    expect "$1" 'SELECT count(*) FROM pool.lead_state
        WHERE owner_id IS NOT NULL AND check_at IS NOT NULL'
    sql -c 'VACUUM ANALYZE'
}

measure_tick()
{
    local i due claim="\\set m random(1, $MEMBERS)
SELECT outcome FROM pool.claim('bench pool', member => 'm' || :m);"
    script alone "$claim"
    script reclaiming "$claim"
    load_owned
    due=$(sql -d owned -c 'SELECT at FROM bench.due')
    for ((i = 1; i <= ROUNDS; i++)); do
        tick_round "$i"
    done
    for ((i = 1; i <= ROUNDS; i++)); do
        beside_round "$i"
    done
    fresh_copy owned
    idle_tick "$LEADS"
    sql -d postgres -c 'DROP DATABASE owned'
    [ -n "${FULL:-}" ] || return 0
    load_watched 10000000
    idle_tick 10000000
}
