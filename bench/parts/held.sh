# Eight clients under a snapshot held open: fresh, and after many claims.  The
# rival's traces are left behind at once (rival.age): one by one they would
# take hours.

held_legs()
{
    local i variant
    for ((i = 1; i <= ROUNDS; i++)); do
        for variant in $(in_turn "$i" pool usual); do
            leg 'snapshot held' "$1" "$i" 8 "$variant" -T "$LEG"
        done
    done
}

# The ratio of the pool's legs to its fresh ones, round by round.
of_itself_fresh()
{
    awk -F '\t' -v case="$1" -v OFS='\t' '
        $1 != "snapshot held" || $3 != "pool" { next }
        $2 == "fresh" { fresh[$4] = $5; next }
        { print $1, case, "pool, of itself fresh", $4, $5 / fresh[$4] }' \
        "$figures" >"$dir/fresh"
    cat "$dir/fresh" >>"$figures"
}

measure_held()
{
    local after=$((LEADS * 3 / 10)) missing
    claim_scripts
    fresh_copy loaded
    hold 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;'
    LEG=1 held_legs fresh
    missing=$((after - $(done_by pool)))
    if [ "$missing" -gt 0 ]; then
        pgbench_leg 8 pool -t $(((missing + 7) / 8))
    fi
    missing=$((after - $(done_by usual)))
    if [ "$missing" -gt 0 ]; then
        sql -c "CALL rival.age($pool, $MEMBERS, $missing)"
        echo "$after" >"$dir/usual.done"
    fi
    held_legs "after $after claims"
    let_go
    of_itself_fresh "after $after claims"
    check_claims pool "$(done_by pool)"
    check_claims rival "$(done_by usual)"
    check_pool
}
