// A dashboard over the views and a page for members, in one small server.
//
//   node server.mjs [PORT]     8080 by default; listens on 127.0.0.1 only
//
// The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE, with a
// login that has `service` access: it may act for any member. Who is at the
// browser is what the page says, since this is an example: in your application
// take it from your own session (function memberOf), and nothing else changes.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import pg from 'pg';

// Counts are bigint; JSON has only numbers, and these are small enough.
pg.types.setTypeParser(20, Number);
pg.types.setTypeParser(1700, Number);
const database = new pg.Pool({ max: 8 });
// A connection may break, idle or in use: the query in it fails, the next one
// opens another. Without these listeners it would end the whole program.
database.on('error', () => {});
database.on('connect', (client) => client.on('error', () => {}));

const require = createRequire(import.meta.url);
const files = {
  '/': ['index.html', 'text/html'],
  '/member': ['member.html', 'text/html'],
  '/style.css': ['style.css', 'text/css'],
  '/dashboard.js': ['dashboard.js', 'text/javascript'],
  '/member.js': ['member.js', 'text/javascript'],
  '/words.js': ['words.js', 'text/javascript'],
};

// One query for each picture; $1 is the pool.
const pictures = {
  flow: `SELECT to_char(day, 'MM-DD') AS day, entered,
             claimed + assigned AS taken, released + reclaimed AS returned,
             converted, available_at_end
         FROM pool.stat_daily WHERE pool_id = $1
             AND day > current_date - 21 ORDER BY stat_daily.day`,
  funnel: `SELECT sum(entered) AS entered, sum(spells) AS taken,
               sum(first_responses) AS contacted, sum(converted) AS converted
           FROM pool.stat_source WHERE pool_id = $1`,
  leaders: `SELECT member, claimed + assigned AS taken, followed_up, converted
            FROM pool.stat_member WHERE pool_id = $1 AND role = 'member'
            ORDER BY converted DESC, followed_up DESC, member LIMIT 10`,
  ageing: `SELECT concat(from_days, '–' || until_days,
                   CASE WHEN until_days IS NULL THEN '+' END) AS bucket,
               coalesce(sum(leads) FILTER
                   (WHERE status = 'available'), 0) AS available,
               coalesce(sum(leads) FILTER (WHERE status = 'owned'), 0) AS owned
           FROM pool.stat_aging WHERE pool_id = $1
           GROUP BY from_days, until_days ORDER BY from_days`,
  sla: `SELECT rule, met, missed, attainment, median_seconds
        FROM pool.stat_sla WHERE pool_id = $1 ORDER BY rule`,
  due: `SELECT to_char(date_trunc('day', due_at), 'MM-DD') AS day,
            count(*) FILTER (WHERE action = 'reclaim') AS reclaim,
            count(*) FILTER (WHERE action <> 'reclaim') AS other
        FROM pool.lead_due WHERE pool_id = $1
        GROUP BY date_trunc('day', due_at) ORDER BY date_trunc('day', due_at)
        LIMIT 14`,
  fairness: `SELECT member, received, round(entitled_share * pool_received, 1)
                 AS entitled, jain_index
             FROM pool.stat_fairness WHERE pool_id = $1 ORDER BY member`,
  now: `SELECT available, owned, converted, claimed_today, utilisation,
            conversion_rate, reclaim_rate
        FROM pool.stat_pool WHERE pool_id = $1`,
};

// What members may do here. The browser makes the request id, one for each press
// of a button: so it may ask again when an answer gets lost on the way.
const actions = {
  claim: ({ lead_id: lead, request }) => [
    'SELECT * FROM pool.claim_leads(ARRAY[$1::bigint], request_id => $2)',
    [lead, request]],
  claim_next: ({ pool, request }) => [
    'SELECT * FROM pool.claim($1, request_id => $2)', [pool, request]],
  follow_up: ({ lead_id: lead, kind, note, request }) => [
    `SELECT * FROM pool.follow_up($1, kind => $2, note => $3,
         request_id => $4)`, [lead, kind, note, request]],
  release: ({ lead_id: lead, request }) => [
    'SELECT * FROM pool.release(ARRAY[$1::bigint], request_id => $2)',
    [lead, request]],
};

function memberOf(request) {
  const cookie = /(?:^|; )member=([^;]*)/.exec(request.headers.cookie ?? '');
  if (!cookie) throw refusal(401, 'who are you?');
  return decodeURIComponent(cookie[1]);
}

function refusal(status, message) {
  return Object.assign(new Error(message), { status });
}

// Runs queries as a member: act_as ends with the transaction, so this works
// behind a pooler, and no query of somebody else can inherit it.
async function asMember(member, work) {
  const client = await database.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pool.act_as($1)', [member]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function rows(sql, values) {
  return (await database.query(sql, values)).rows;
}

async function body(request) {
  // no other page can make a browser send this type without asking first
  if (request.headers['content-type'] !== 'application/json') {
    throw refusal(415, 'application/json is wanted');
  }
  let text = '';
  for await (const piece of request) {
    text += piece;
    if (text.length > 20000) throw refusal(413, 'too long');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(400, 'no JSON');
  }
}

const reading = {
  pools: () => rows(
    `SELECT pool_id AS id, pool_path AS name FROM pool.stat_pool
     ORDER BY pool_path`),
  members: () => rows(
    `SELECT DISTINCT member FROM pool.stat_member
     WHERE status = 'active' ORDER BY member`),
  picture: (request, query) => {
    const sql = pictures[query.get('name')];
    if (!sql) throw refusal(404, 'no such picture');
    return rows(sql, [query.get('pool')]);
  },
  desk: (request) => asMember(memberOf(request), async (client) => ({
    quota: (await client.query('SELECT * FROM pool.quota_mine')).rows,
    open: (await client.query(
      `SELECT lead_id, key, name, source, grade, priority, pool
       FROM pool.lead_open ORDER BY priority DESC, ticket LIMIT 20`)).rows,
    mine: (await client.query(
      `SELECT lead_id, key, name, source, grade, follow_ups, due_at, progress
       FROM pool.lead_mine WHERE status = 'owned'
       ORDER BY due_at LIMIT 100`)).rows,
  })),
};

async function answer(request, url) {
  const name = url.pathname.slice('/api/'.length);
  if (request.method === 'GET' && Object.hasOwn(reading, name)) {
    return reading[name](request, url.searchParams);
  }
  if (request.method === 'POST' && Object.hasOwn(actions, name)) {
    const [sql, values] = actions[name](await body(request));
    return asMember(memberOf(request),
      async (client) => (await client.query(sql, values)).rows[0]);
  }
  throw refusal(404, 'no such address');
}

// Misuse has a SQLSTATE and a message without personal data; anything else is
// nobody's business.
function failed(response, error) {
  const misuse = /^(PO\d{3}|22\w{3}|42501)$/.test(error.code ?? '');
  if (!misuse && !error.status) console.error(error);
  const said = misuse || error.status ? error.message : 'something went wrong';
  response.writeHead(error.status ?? (misuse ? 400 : 500),
    { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: said, code: error.code ?? null }));
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  try {
    if (Object.hasOwn(files, url.pathname)) {
      const [file, type] = files[url.pathname];
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` });
      createReadStream(new URL(`public/${file}`, import.meta.url))
        .pipe(response);
    } else if (url.pathname === '/echarts.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      createReadStream(require.resolve('echarts/dist/echarts.min.js'))
        .pipe(response);
    } else {
      const result = await answer(request, url);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(result));
    }
  } catch (error) {
    failed(response, error);
  }
});
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
