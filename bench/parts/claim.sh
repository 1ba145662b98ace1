# One lead per transaction, by random members: beside the rival in its usual
# order and with the member's row last, and beside the bare writes of a lead
# known beforehand, on the pool's table shapes and on the rival's.

# The rival's tables are worked on by two variants at one time: their claims
# come from the front, the bare writes from the back.
check_claim_round()
{
    check_claims pool "$(done_by pool)"
    check_claims bare "$(done_by bare)"
    check_claims rival $(($(done_by usual) + $(done_by best) + $(done_by lean)))
    check_pool
}

claim_round()
{
    local clients variant
    fresh_copy loaded
    for clients in 8 64; do
        for variant in $(in_turn "$1" pool usual best bare lean); do
            leg claim "$clients" "$1" "$clients" "$variant" -T "$LEG"
        done
    done
    export PGOPTIONS='-c synchronous_commit=on'
    for variant in $(in_turn "$1" pool usual best bare); do
        leg 'claim, synchronous commit' 64 "$1" 64 "$variant" -T "$LEG"
    done
    unset PGOPTIONS
    check_claim_round
}

measure_claim()
{
    local i
    claim_scripts
    for ((i = 1; i <= ROUNDS; i++)); do
        claim_round "$i"
    done
}
