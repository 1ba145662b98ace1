# Eight clients beside one claim left open for the whole leg, and with 5 % of
# the claims rolled back, against the same undisturbed.

# All claims but those rolled back, one in twenty, have found a lead.
check_open()
{
    local kept=$(($(done_by alone) + $(done_by beside_open) +
        $(done_by in_block)))
    local most=$((kept + $(done_by rolled_back)))
    expect t "SELECT count(*)
            BETWEEN $kept + ($most - $kept) * 9 / 10 AND $most
        FROM pool.event WHERE kind = 'claimed'"
    check_claims pool "$(sql -c "SELECT count(*) FROM pool.event
        WHERE kind = 'claimed'")"
    check_pool
}

open_round()
{
    local variant
    fresh_copy loaded
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
    check_open
}

measure_open()
{
    local i claim
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
    for ((i = 1; i <= ROUNDS; i++)); do
        open_round "$i"
    done
}
