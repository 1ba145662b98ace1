# Taking one and taking 100 beside other queues in PostgreSQL: PgQ,
# graphile-worker and pg-boss, as bench/queues/package.json and Debian have
# them.  One Node program (bench/queues) drives them all with 8 connections, so
# that all pay the same for the driver, which has a good part of each figure:
# round_trip is SELECT 1 by the same program.  Each takes by its own functions
# from a stock loaded beforehand and finishes what it took in its own way; the
# files there say how, and what each does not do.  It is not the same: only
# pool.claim knows quotas and owners and keeps a log.  A leg ends before its
# time when it has taken a tenth of LEADS.

# Fails where the system cannot be used.
queue_usable()
{
    if [ "$1" = pgq ] && [ -z "$(sql -d loaded -c "SELECT 1
            FROM pg_available_extensions WHERE name = 'pgq'")" ]; then
        say 'queues: left out pgq: it is not installed'
        return 1
    fi
    if ! "$node" bench/queues/queues.js has "$1" 2>"$dir/why"; then
        say "queues: left out $1: $(head -n 1 "$dir/why")"
        return 1
    fi
}

load_queues()
{
    local system
    sql -d postgres -c 'CREATE DATABASE queues TEMPLATE loaded'
    for system in "${systems[@]}"; do
        [[ $system = pool* ]] || PGDATABASE=queues \
            "$node" bench/queues/queues.js load "$system" "$stock"
    done
    sql -d queues -c 'VACUUM (ANALYZE, FREEZE)'
}

# task variant round n
queue_leg()
{
    local result
    result=$("$node" bench/queues/queues.js run "$2" "$4" "$LEG" "$limit")
    echo $(($(done_by "$2") + ${result% *})) >"$dir/$2.done"
    figure queues "$1" "$2" "$3" "${result#* }"
}

# What a system has finished, by its own tables, must be what it took.
check_queue()
{
    local query
    case $1 in
        pool) query="SELECT count(*) FROM pool.event e WHERE kind = 'claimed'
            AND NOT EXISTS (SELECT FROM pool.event a
                WHERE a.lead_id = e.lead_id AND a.kind = 'archived')" ;;
        pool_archive) query="SELECT count(*) FROM pool.lead
            WHERE status = 'archived' AND claims = 1" ;;
        pg_boss) query="SELECT count(*) FROM pgboss.job
            WHERE state = 'completed'" ;;
        graphile_worker) query="SELECT $stock - count(*)
            FROM graphile_worker.jobs" ;;
        pgq) query="SELECT count(*)
            FROM pgq.event_template e, pgq.subscription, pgq.tick
            WHERE tick_queue = sub_queue AND tick_id = sub_last_tick
             AND ev_id <= tick_event_seq AND sub_batch IS NULL" ;;
    esac
    expect "$(done_by "$1")" "$query"
}

queue_round()
{
    local system
    fresh_copy queues
    for system in $(in_turn "$1" round_trip "${systems[@]}"); do
        [ "$system" = pgq ] || queue_leg 'take one' "$system" "$1" 1
    done
    for system in $(in_turn "$1" "${systems[@]}"); do
        queue_leg 'take 100' "$system" "$1" 100
    done
    for system in "${systems[@]}"; do
        check_queue "$system"
    done
    check_pool
}

measure_queues()
{
    local i node system systems=()
    local stock=$((LEADS / 5)) limit=$((LEADS / 10 - 1000))
    node=$(ls bench/queues/node_modules/node-linux-*/bin/node 2>/dev/null ||
        command -v node) ||
        { say 'queues: left out: there is no node'; return; }
    for system in pool pool_archive pg_boss graphile_worker pgq; do
        ! queue_usable "$system" || systems+=("$system")
    done
    [ ${#systems[@]} -gt 0 ] || return 0
    load_queues
    for ((i = 1; i <= ROUNDS; i++)); do
        queue_round "$i"
    done
    sql -d postgres -c 'DROP DATABASE queues'
}
