# Statistics over a long history of a hundred pools, ten thousand events of
# which are not folded yet: the views, and plain counting of the log for some of
# the same figures.  Nobody prepares what he asks of a view, so it is planned each
# time.

# The history is as long as it must be, and the views count all of it.
check_views()
{
    expect 'true true' "SELECT (SELECT count(DISTINCT day) >= 30
            FROM pool.rollup_member) || ' ' ||
        (SELECT count(*) >= 10000 FROM pool.event_tail)"
    expect "$(sql -c "SELECT concat_ws(' ', claimed, claimed, claimed, available)
            FROM (SELECT count(*) AS claimed FROM pool.event
                  WHERE kind = 'claimed') e,
                 (SELECT count(*) AS available FROM pool.lead_state
                  WHERE status = 'available') s")" \
        "SELECT concat_ws(' ', (SELECT sum(claimed) FROM pool.stat_daily),
            (SELECT sum(claimed) FROM pool.stat_member),
            (SELECT sum(spells) FROM pool.stat_source),
            (SELECT sum(available) FROM pool.stat_pool))"
}

measure_views()
{
    local i view events=$((LEADS * 2)) day
    [ -z "${FULL:-}" ] || events=$((LEADS * 10))
    fresh_copy loaded
    say "making $events events"
    sql -v events="$events" -f bench/views.sql
    check_views
    day=$(sql -c "SELECT max(day) FROM pool.event")
    script stat_pool 'SELECT * FROM pool.stat_pool;'
    script stat_member 'SELECT * FROM pool.stat_member;'
    script stat_source 'SELECT * FROM pool.stat_source;'
    script stat_daily "SELECT * FROM pool.stat_daily
        WHERE day > date '$day' - 30;"
    script 'stat_daily counted' "SELECT count(*) FROM (
        SELECT day, pool_id, kind, count(*) FROM pool.event
        WHERE day > date '$day' - 30 GROUP BY 1, 2, 3) s;"
    for ((i = 1; i <= ROUNDS; i++)); do
        for view in stat_pool stat_member stat_source stat_daily; do
            leg views "$view" "$i" 1 "$view" -t 20 -M simple --sampling-rate=1
        done
        leg views stat_daily "$i" 1 'stat_daily counted' -t 2 -M simple \
            --sampling-rate=1
    done
}
