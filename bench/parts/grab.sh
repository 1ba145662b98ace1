# The nine o'clock grab: 64 members go down one list of 1,000 leads at the same
# time and ask for one after another by id, skipping a few.  Most ask for what
# another has taken or is taking just now.  With synchronous_commit on, as it is
# by default: it is the commit that keeps others waiting.

grab_round()
{
    local variant first
    fresh_copy loaded
    first=$(sql -c "SELECT min(id) FROM pool.lead_state
        WHERE pool_id = $pool")
    export PGOPTIONS='-c synchronous_commit=on'
    for variant in $(in_turn "$1" pool_grab usual_grab); do
        leg grab 64 "$1" 64 "$variant" -t 400 -D i=0 -D first="$first"
    done
    unset PGOPTIONS
    # all of the list has gone, once
    check_claims pool 1000
    check_claims rival 1000
    check_pool
}

measure_grab()
{
    local i next="\\set i (:i + random(1, 5)) % 1000
\\set lead :first + :i
\\set m :client_id + 1
"
    script pool_grab "${next}SELECT outcome FROM pool.claim_leads(
        ARRAY[:lead]::bigint[], member => 'm' || :m);"
    script usual_grab "${next}SELECT rival.claim_lead(:lead, :pool, m.id)
        FROM pool.member m WHERE m.key = 'm' || :m;"
    for ((i = 1; i <= ROUNDS; i++)); do
        grab_round "$i"
    done
}
