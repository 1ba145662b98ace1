# Search for two Chinese characters and three attributes among all available
# leads: each time for what another lead is like, which is found.

measure_search()
{
    local i
    fresh_copy loaded
    script search "\\set i random(1, $LEADS)
SELECT count(*) FROM pool.search('bench pool', bench.attributes_of(:i),
    bench.name_of(:i));"
    for ((i = 1; i <= ROUNDS; i++)); do
        leg search "$LEADS leads" "$i" 1 search -t 200
    done
    expect k7 "SELECT key FROM pool.search('bench pool',
        bench.attributes_of(7), bench.name_of(7)) WHERE key = 'k7'"
}
