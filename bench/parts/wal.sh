# WAL per claim, by one client, without full-page images (they depend on when
# the last checkpoint was).

wal_round()
{
    local variant from
    fresh_copy loaded
    for variant in $(in_turn "$1" pool usual bare); do
        from=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
        pgbench_leg 1 "$variant" -t 10000
        figure WAL 'one claim' "$variant" "$1" "$(sql -c "SELECT round(
            (pg_current_wal_insert_lsn() - '$from') / 10000)")"
    done
    check_claims pool 10000
    check_claims rival 10000
    check_claims bare 10000
}

measure_wal()
{
    local i
    claim_scripts
    sql -c 'ALTER SYSTEM SET full_page_writes = off' \
        -c 'SELECT pg_reload_conf()' >/dev/null
    for ((i = 1; i <= ROUNDS; i++)); do
        wal_round "$i"
    done
    sql -c 'ALTER SYSTEM RESET full_page_writes' \
        -c 'SELECT pg_reload_conf()' >/dev/null
}
