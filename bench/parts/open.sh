# Eight clients beside one claim left open for the whole leg, and with 5 % of
# the claims rolled back, against the same undisturbed.

open_round()
{
    local variant
    for variant in $(in_turn "$1" alone beside_open in_block rolled_back); do
        if [ "$variant" = beside_open ]; then
            hold "BEGIN; SELECT outcome FROM pool.claim('bench pool',
                member => 'm1');"
            leg disturbed 8 "$1" 8 "$variant" -T "$LEG"
            let_go
        else
            leg disturbed 8 "$1" 8 "$variant" -T "$LEG"
        fi
    done
}

measure_open()
{
    local i claim claims
    # m1 is held by the open claim
    claim="\\set m random(2, $MEMBERS)
SELECT outcome FROM pool.claim('bench pool', member => 'm' || :m);"
    script alone "$claim"
    script beside_open "$claim"
    script in_block "BEGIN;
$claim
COMMIT;"
    script rolled_back "\\set lost random(1, 20)
BEGIN;
$claim
\\if :lost = 1
ROLLBACK;
\\else
COMMIT;
\\endif"
    fresh_copy loaded
    for ((i = 1; i <= ROUNDS; i++)); do
        open_round "$i"
    done
    claims=$(sql -c "SELECT count(*) FROM pool.event WHERE kind = 'claimed'")
    check_claims pool "$claims"
    check_pool
}
