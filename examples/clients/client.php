<?php
// Claiming and consuming events from PHP, with PDO.  README.md tells what to
// look at.
//
//   php client.php claim POOL ...       claim one lead of each pool
//   php client.php events CONSUMER      print what is new, then acknowledge it
//
// The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE.
declare(strict_types=1);

const REJECTED = [
    'PO001' => 'there is no such pool',
    'PO002' => 'this login belongs to no member',
    'PO003' => 'you are not a member of this pool',
    '42501' => 'this login has no access; see pool.grant_access',
];

// The connection, opened when needed; null after it broke.
$connection = null;

function query(string $sql, array $arguments): array
{
    global $connection;
    // libpq takes from the environment what is not said.  Behind a pooler the
    // next transaction may be on another connection of the server, which knows
    // no statement prepared before: so none is prepared.
    $connection ??= new PDO('pgsql:', getenv('PGUSER') ?: null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::PGSQL_ATTR_DISABLE_PREPARES => true,
    ]);
    $statement = $connection->prepare($sql);
    $statement->execute($arguments);
    return $statement->fetchAll(PDO::FETCH_OBJ);
}

// PDO says HY000 for a lost connection, and 08006 where it cannot be opened.
function passing(PDOException $error): bool
{
    $state = $error->errorInfo[0] ?? 'HY000';
    return preg_match('/^(HY000|08|57P|40001|40P01)/', $state) === 1;
}

function uuid(): string
{
    $bytes = random_bytes(16);
    $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
    $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

// Claims once, however often it has to ask.  Nobody can know whether a request
// whose answer got lost was carried out; so the same request id goes along
// again, and the answer is the first one.
function claim_one(string $pool): object
{
    global $connection;
    $request_id = uuid();
    for ($attempt = 1; ; $attempt++) {
        try {
            return query(
                "SELECT outcome, key, limit_value, used,
                     to_char(retry_at, 'YYYY-MM-DD HH24:MI') AS retry_at
                 FROM pool.claim(?, request_id => ?::uuid)",
                [$pool, $request_id]
            )[0];
        } catch (PDOException $error) {
            if (!passing($error) || $attempt === 5) {
                throw $error;
            }
            $connection = null;
            usleep(100_000 * 2 ** $attempt);
        }
    }
}

// What an outcome means to the person who pressed the button.
function told(object $lead): string
{
    return match ($lead->outcome) {
        'claimed' => "claimed $lead->key",
        'empty', 'none_allowed' => "$lead->outcome: nothing here for you now",
        'contended' => 'contended: others are taking the last ones, try again',
        'hold_limit', 'claim_limit' =>
            "$lead->outcome: $lead->used of $lead->limit_value",
        'too_soon' => "too_soon: again at $lead->retry_at",
        'away' => 'away: you are not at work',
        'pool_disabled' => 'pool_disabled: this pool is closed',
        default => $lead->outcome, // later versions may know more
    };
}

function claim(array $pools): void
{
    foreach ($pools as $pool) {
        try {
            $text = told(claim_one($pool));
        } catch (PDOException $error) {
            $state = $error->errorInfo[0] ?? '';
            if (!isset(REJECTED[$state])) {
                throw $error;
            }
            $text = "$state: " . REJECTED[$state];
        }
        echo "$pool: $text\n";
    }
}

// Each event at least once: after a crash before ack() the same ones come
// again, so do with them what may be done twice.
function events(string $consumer): void
{
    while ($rows = query(
        'SELECT position, kind, key, member FROM pool.poll(?, 100)',
        [$consumer]
    )) {
        foreach ($rows as $event) {
            echo "$event->kind $event->key ", $event->member ?? '-', "\n";
        }
        query('SELECT pool.ack(?, ?)', [$consumer, end($rows)->position]);
    }
    // a service would sleep and go on
}

if ($argv[1] === 'events') {
    events($argv[2]);
} else {
    claim(array_slice($argv, 2));
}
