# What the parts of the bench share; sourced by bench/run, which sets
#   dir       scratch directory      figures   list of measurements in it
#   LEADS MEMBERS ROUNDS LEG         sizes, seconds per leg
#
# A part measures its variants in turn, round by round, on a copy of a loaded
# database, checks what they did, and writes lines to $figures:
#   part <tab> case <tab> variant <tab> round <tab> value

say()
{
    printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2
}

sql()
{
    psql -XqAt -v ON_ERROR_STOP=1 "$@"
}

# part case variant round value
figure()
{
    printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$figures"
    say "$1, $2, $3, round $4: $5"
}

# The words given, in an order that shifts by one from round to round.
in_turn()
{
    local by=$1 i
    shift
    for ((i = 0; i < $#; i++)); do
        local at=$(((i + by) % $# + 1))
        echo "${!at}"
    done
}

# A copy of the database given, in memory as far as that goes; the parts'
# statements go to it from now on.
fresh_copy()
{
    sql -d postgres -c 'SET client_min_messages = warning' \
        -c 'DROP DATABASE IF EXISTS round WITH (FORCE)' \
        -c "CREATE DATABASE round TEMPLATE $1 STRATEGY file_copy"
    export PGDATABASE=round
    sql -c 'SELECT pool.resume()' -c "SELECT count(pg_prewarm(oid))
        FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace IN
            (SELECT oid FROM pg_namespace
             WHERE nspname !~ '^(pg_|information_schema)')" -c CHECKPOINT \
        >/dev/null
    rm -f "$dir"/*.done
}

# Transactions the variant has made on this copy.
done_by()
{
    cat "$dir/$1.done" 2>/dev/null || echo 0
}

# part case round clients variant, then pgbench's options of how long:
# measures transactions per second and latencies (milliseconds).
leg()
{
    local part=$1 case=$2 round=$3 clients=$4 variant=$5 count tps
    shift 5
    pgbench_leg "$clients" "$variant" -l --log-prefix="$dir/latency" \
        --sampling-rate=0.2 "$@"
    figure "$part" "$case" "$variant" "$round" "$tps"
    cat "$dir"/latency.* | awk '{ print $3 / 1000 }' | sort -n |
        awk -v part="$part" -v case="$case" -v variant="$variant" \
            -v round="$round" -v OFS='\t' '{ t[NR] = $1 } END {
                if (NR == 0)
                    exit    # few transactions, none in the sample
                print part " p50", case, variant, round, t[int((NR + 1) / 2)]
                print part " p99", case, variant, round, t[int(NR * 0.99 + 1)]
            }' >>"$figures"
    rm -f "$dir"/latency.*
}

# clients variant options: sets tps, counts what the variant has done.
pgbench_leg()
{
    local clients=$1 variant=$2
    shift 2
    timeout 900 pgbench -n -M prepared -j 2 -c "$clients" -D pool="$pool" \
        -f "$dir/$variant.sql" "$@" >"$dir/leg" 2>&1 ||
        { cat "$dir/leg" >&2; return 1; }
    count=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' \
        "$dir/leg")
    echo $(($(done_by "$variant") + count)) >"$dir/$variant.done"
    tps=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$dir/leg")
}

# A script of pgbench: name, text.
script()
{
    printf '%s\n' "$2" >"$dir/$1.sql"
}

# The scripts that claim one lead, by variants.
claim_scripts()
{
    local member="\\set m random(1, $MEMBERS)
"
    script pool "${member}SELECT outcome
        FROM pool.claim('bench pool', member => 'm' || :m);"
    script usual "${member}SELECT rival.claim_usual(:pool, :m);"
    script best "${member}SELECT rival.claim_best(:pool, :m);"
    script bare "${member}SELECT bare.claim(nextval('bare.next_lead'), :pool,
        :m);"
    script lean "${member}SELECT rival.write(nextval('rival.next_lead'),
        :pool, :m);"
}

# Runs the statement once and measures milliseconds.
# part case variant round statement
timed()
{
    local from
    from=$(date +%s%N)
    sql -c "$5" >/dev/null
    figure "$1" "$2" "$3" "$4" $((($(date +%s%N) - from) / 10000))e-2
}

# What the statement must return, or the bench stops.
expect()
{
    local found
    found=$(sql -c "$2")
    [ "$found" = "$1" ] ||
        { printf 'expected %s, found %s: %s\n' "$1" "$found" "$2" >&2; exit 1; }
}

# Fails unless so many claims are so many events, leads held and leads owned.
# schema, claims
check_claims()
{
    local events=$1.event member=$1.member lead=$1.lead
    if [ "$1" != rival ]; then
        member=$1.membership_state
        lead=$1.lead_state
    fi
    expect "$2 $2 $2" "SELECT concat_ws(' ',
        (SELECT count(*) FROM $events WHERE kind = 'claimed'),
        (SELECT sum(held) FROM $member),
        (SELECT count(*) FROM $lead WHERE owner_id IS NOT NULL))"
}

check_pool()
{
    expect '' 'SELECT * FROM pool.verify() LIMIT 10'
}

# A session that keeps a transaction open, from the statements given until
# let_go.
hold()
{
    mkfifo "$dir/hold"
    psql -Xq <"$dir/hold" >"$dir/held" &
    holder=$!
    exec 9>"$dir/hold"
    printf '%s\n' "$1" "SELECT 'held';" >&9
    until grep -q 'held' "$dir/held"; do sleep 0.1; done
}

let_go()
{
    exec 9>&-
    wait "$holder"
    holder=
    rm "$dir/hold"
}
