# Entry of new leads, each with a phone number that must be new, routed to
# members by weight: COPY into pool.intake, beside plain COPYs of the very same
# rows into copies of all tables and indexes it writes, and beside a loop over
# rows in PL/pgSQL on the rival's tables (a tenth of the rows, so that it ends).
# Unlike intake, neither reads JSON, judges rules, or answers for each row.

entry_tables=(lead_state lead_data identity event)

load_entry()
{
    createdb entry
    sql -d entry -v leads=1000 -v members="$MEMBERS" -f bench/load.sql
    sql -d entry -v n="$1" -v file="$dir/server/new" -f bench/entry.sql
}

# What must be copied by the plain COPYs: the rows as intake has written them.
copy_out()
{
    local table
    for table in "${entry_tables[@]}"; do
        sql -c "COPY (SELECT t.* FROM pool.$table t
            WHERE $([ "$table" = event ] || [ "$table" = identity ] &&
                echo lead_id || echo id) IN
                (SELECT id FROM pool.lead_data WHERE key LIKE 'new%'))
            TO '$dir/server/$table'"
    done
}

copy_in()
{
    local table statement=
    for table in "${entry_tables[@]}"; do
        statement+="COPY bare.$table FROM '$dir/server/$table';"
    done
    echo "$statement"
}

# microseconds per lead: variant round leads statement
intake_timed()
{
    local from
    from=$(date +%s%N)
    sql -c "$4" >/dev/null
    figure 'intake, µs a lead' "$n leads" "$1" "$2" \
        "$(sql -c "SELECT round(($(date +%s%N) - $from) / 1e3 / $3, 2)")"
}

intake_round()
{
    local n=$2 variant
    fresh_copy entry
    for variant in $(in_turn "$1" intake plain loop); do
        case $variant in
            intake) intake_timed "$variant" "$1" "$n" "COPY pool.intake (pool,
                key, name, source, attributes, identities)
                FROM '$dir/server/new'" ;;
            plain) intake_timed "$variant" "$1" "$n" "$(copy_in)" ;;
            loop) intake_timed "$variant" "$1" $((n / 10)) \
                "SELECT rival.enter_all($((n / 10)))" ;;
        esac
    done
    expect "$n $n $((n * 2))" "SELECT concat_ws(' ',
        (SELECT count(*) FROM pool.lead_state WHERE owner_id IS NOT NULL),
        (SELECT count(*) FROM pool.identity),
        (SELECT count(*) FROM bare.event))"
    check_pool
}

measure_intake()
{
    local i n=$((LEADS / 10))
    load_entry "$n"
    fresh_copy entry
    sql -c "COPY pool.intake (pool, key, name, source, attributes, identities)
        FROM '$dir/server/new'"
    copy_out
    for ((i = 1; i <= ROUNDS; i++)); do
        intake_round "$i" "$n"
    done
    sql -d postgres -c 'DROP DATABASE entry'
}
