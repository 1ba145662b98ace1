# What a claim touches, whatever there is: buffers of one claim (median of
# 100), with few and many leads, pools and claim rules.

# case round: the pools a, b, ... of the name given are claimed from in turn.
claim_buffers()
{
    figure size "$1" pool "$2" "$(sql -f bench/buffers.sql)"
}

# A database of its own with so many pools of 100 leads, and one of a thousand.
pools_case()
{
    sql -d postgres -c 'SET client_min_messages = warning' \
        -c 'DROP DATABASE IF EXISTS round WITH (FORCE)' \
        -c 'CREATE DATABASE round'
    export PGDATABASE=round
    sql -v leads=1000 -v members="$MEMBERS" -f bench/load.sql
    sql -c "INSERT INTO pool.pool (name, hold_limit, claim_limit)
            SELECT 'pool ' || i, 10000000, 10000000
            FROM generate_series(2, $1) i" \
        -c "INSERT INTO pool.membership (pool_id, member_id, tenant_id)
            SELECT p.id, m.id, p.tenant_id FROM pool.pool p, pool.member m
            WHERE m.key = 'm1' ON CONFLICT DO NOTHING" \
        -c "INSERT INTO pool.intake (pool, key)
            SELECT p.name, p.name || '/' || i
            FROM pool.pool p, generate_series(1, 100) i
            WHERE p.name <> 'bench pool'" \
        -c 'VACUUM ANALYZE'
    claim_buffers "$1 pools" 1
}

rules_case()
{
    fresh_copy loaded
    sql -c "INSERT INTO pool.claim_rule (pool_id, name, condition)
            SELECT $pool, 'rule ' || i, '\$.grade == \"none\"'
            FROM generate_series(1, $1) i"
    script pool "\\set m random(1, $MEMBERS)
SELECT outcome FROM pool.claim('bench pool', member => 'm' || :m);"
    claim_buffers "$1 claim rules" 1
}

leads_case()
{
    sql -d postgres -c 'SET client_min_messages = warning' \
        -c 'DROP DATABASE IF EXISTS round WITH (FORCE)' \
        -c 'CREATE DATABASE round'
    export PGDATABASE=round
    sql -v leads="$1" -v members="$MEMBERS" -f bench/load.sql
    claim_buffers "$1 leads" 1
}

# Claims per second of one client beside the number of rules: what one costs.
rules_cost()
{
    local rules i
    for rules in 0 5 20; do
        rules_case "$rules"
        for ((i = 1; i <= ROUNDS; i++)); do
            pgbench_leg 1 pool -T 1
            figure 'rules, microseconds a claim' "$rules" pool "$i" \
                $((1000000 / tps))
        done
    done
}

measure_size()
{
    local n
    leads_case 10000
    fresh_copy loaded
    claim_buffers "$LEADS leads" 1
    [ -z "${FULL:-}" ] || leads_case 10000000
    for n in 1 100 ${QUICK:-10000}; do
        [ "$n" = "${QUICK:-}" ] || pools_case "$n"
    done
    rules_cost
}
