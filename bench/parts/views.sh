# Statistics over a long history of a hundred pools, ten thousand events of
# which are not folded yet: the views, and plain counting of the log for the
# same figures.

measure_views()
{
    local i view events=$((LEADS * 2)) day
    [ -z "${FULL:-}" ] || events=$((LEADS * 10))
    fresh_copy loaded
    say "making $events events"
    sql -v events="$events" -f bench/views.sql
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
            leg views "$view" "$i" 1 "$view" -t 20
        done
        leg views stat_daily "$i" 1 'stat_daily counted' -t 2
    done
}
