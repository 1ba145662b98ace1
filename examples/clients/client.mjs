// Claiming and consuming events from Node, with pg.  README.md tells what to
// look at.
//
//   node client.mjs claim POOL ...       claim one lead of each pool
//   node client.mjs events CONSUMER      print what is new, then acknowledge it
//
// The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const connections = new pg.Pool({ max: 2 });

// A connection may break while nobody uses it; the next query opens another.
connections.on('error', () => {});

const rejected = {
  PO001: 'there is no such pool',
  PO002: 'this login belongs to no member',
  PO003: 'you are not a member of this pool',
  42501: 'this login has no access; see pool.grant_access',
};

// Worth another try: the connection is gone (only what the server says has a
// severity; the code of a socket's error may look like a SQLSTATE: EPIPE), or
// the server asks to repeat the transaction.
function passing(error) {
  return error.severity === undefined
    || /^(08|57P|40001|40P01)/.test(error.code);
}

// Claims once, however often it has to ask.  Nobody can know whether a request
// whose answer got lost was carried out; so the same request id goes along
// again, and the answer is the first one.
async function claimOne(pool) {
  const requestId = randomUUID();
  for (let attempt = 1; ; attempt++) {
    try {
      const { rows } = await connections.query(
        `SELECT outcome, key, limit_value, used,
             to_char(retry_at, 'YYYY-MM-DD HH24:MI') AS retry_at
         FROM pool.claim($1, request_id => $2)`,
        [pool, requestId],
      );
      return rows[0];
    } catch (error) {
      if (!passing(error) || attempt === 5) throw error;
      await sleep(100 * 2 ** attempt);
    }
  }
}

// What an outcome means to the person who pressed the button.
function told(lead) {
  switch (lead.outcome) {
    case 'claimed':
      return `claimed ${lead.key}`;
    case 'empty':
    case 'none_allowed':
      return `${lead.outcome}: nothing here for you now`;
    case 'contended':
      return 'contended: others are taking the last ones, try again';
    case 'hold_limit':
    case 'claim_limit':
      return `${lead.outcome}: ${lead.used} of ${lead.limit_value}`;
    case 'too_soon':
      return `too_soon: again at ${lead.retry_at}`;
    case 'away':
      return 'away: you are not at work';
    case 'pool_disabled':
      return 'pool_disabled: this pool is closed';
    default: // later versions may know more
      return lead.outcome;
  }
}

async function claim(pools) {
  for (const pool of pools) {
    try {
      console.log(`${pool}: ${told(await claimOne(pool))}`);
    } catch (error) {
      if (!rejected[error.code]) throw error;
      console.log(`${pool}: ${error.code}: ${rejected[error.code]}`);
    }
  }
}

// Each event at least once: after a crash before ack() the same ones come
// again, so do with them what may be done twice.
async function events(consumer) {
  for (;;) {
    const { rows } = await connections.query(
      'SELECT position, kind, key, member FROM pool.poll($1, 100)', [consumer]);
    if (rows.length === 0) return; // a service would sleep and go on
    for (const event of rows) {
      console.log(`${event.kind} ${event.key} ${event.member ?? '-'}`);
    }
    await connections.query('SELECT pool.ack($1, $2)',
      [consumer, rows.at(-1).position]);
  }
}

const [verb, ...names] = process.argv.slice(2);
await (verb === 'events' ? events(names[0]) : claim(names));
await connections.end();
