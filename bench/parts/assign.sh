# Leads given to the members by weight and skill under caps, in one call: beside
# one SQL statement that draws members at random (shares right on average only,
# caps not looked at), on the rival's tables and on ours, and beside a loop over
# rows that is as exact.  The loop is given a twentieth of the leads, so that it
# ends.

load_assignable()
{
    sql -d postgres -c 'CREATE DATABASE assignable TEMPLATE loaded
        STRATEGY file_copy'
    sql -d assignable -v pool="$pool" -v cap="$1" -f bench/assign.sql
}

# microseconds per lead: variant round leads statement
assign_timed()
{
    local from
    from=$(date +%s%N)
    sql -c "$4" >/dev/null
    figure 'assign, µs a lead' "$n leads" "$1" "$2" \
        "$(sql -c "SELECT round(($(date +%s%N) - $from) / 1e3 / $3, 2)")"
}

assign_round()
{
    local variant n=$((LEADS / 10))
    fresh_copy assignable
    for variant in $(in_turn "$1" auto_assign statement bare loop); do
        case $variant in
            # in one transaction, ten thousand a call
            auto_assign) assign_timed "$variant" "$1" "$n" "DO \$\$BEGIN
                FOR i IN 1..greatest($n / 10000, 1) LOOP
                    PERFORM count(*) FROM pool.auto_assign('bench pool',
                        least($n, 10000));
                END LOOP; END\$\$" ;;
            statement) assign_timed "$variant" "$1" "$n" \
                "SELECT rival.assign_at_random($pool, $n)" ;;
            bare) assign_timed "$variant" "$1" "$n" \
                "SELECT bare.assign_at_random($pool, $n)" ;;
            loop) assign_timed "$variant" "$1" $((n / 20)) \
                "SELECT rival.assign_exactly($pool, $((n / 20)))" ;;
        esac
    done
    expect "$n t" "SELECT concat_ws(' ', sum(held), bool_and(held <= $2))
        FROM pool.membership_state"
    expect "$((n + n / 20)) $n" "SELECT concat_ws(' ',
        (SELECT count(*) FROM rival.event),
        (SELECT count(*) FROM bare.event WHERE kind = 'assigned'))"
    check_pool
}

measure_assign()
{
    local i cap=$((LEADS / 10 * 6 / 5 / MEMBERS))
    load_assignable "$cap"
    for ((i = 1; i <= ROUNDS; i++)); do
        assign_round "$i" "$cap"
    done
    sql -d postgres -c 'DROP DATABASE IF EXISTS assignable'
}
