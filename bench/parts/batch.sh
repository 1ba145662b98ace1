# A hundred leads per transaction.

batch_round()
{
    local clients variant
    fresh_copy loaded
    for clients in 8 32; do
        for variant in $(in_turn "$1" pool100 usual100 bare100); do
            pgbench_leg "$clients" "$variant" -t $((LEADS / clients / 400))
            figure batch "$clients" "$variant" "$1" $((tps * 100))
        done
    done
    check_claims pool $(($(done_by pool100) * 100))
    check_claims bare $(($(done_by bare100) * 100))
    check_claims rival $(($(done_by usual100) * 100))
    check_pool
}

measure_batch()
{
    local i member="\\set m random(1, $MEMBERS)
"
    script pool100 "${member}SELECT count(*)
        FROM pool.claim('bench pool', 'm' || :m, 100);"
    script usual100 "${member}SELECT rival.claim_batch(:pool, :m, 100);"
    script bare100 "${member}SELECT bare.claim_batch(:pool, :m, 100);"
    for ((i = 1; i <= ROUNDS; i++)); do
        batch_round "$i"
    done
}
