// One leg of bench/parts/queues.sh, or what must be there before.
//
//   node queues.js has SYSTEM                      exit status: can it be used
//   node queues.js load SYSTEM STOCK               STOCK tasks to take
//   node queues.js run SYSTEM N SECONDS LIMIT      prints taken, per second
//
// A system is a file of this directory that exports
//   load(pg, stock)      makes its tables and its stock
//   open(pg, n)          gives take(): takes up to n, finishes them as the
//                        system does, resolves to how many; and tasks: in how
//                        many loops at a time, if not in TASKS
//   drive(pg, n, seconds, limit)
//                        instead of open, where the system has its own loops
// All work through one pool of connections of `pg`, opened before the clock
// starts; the server is that of the environment.  A leg ends after SECONDS or
// with LIMIT taken, before the stock runs out: finding nothing is an error.

const TASKS = 8;

async function connect(number) {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ max: number, idleTimeoutMillis: 0 });
  const lost = (error) => console.error(error.message);
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  const clients = await Promise.all(
    Array.from({ length: number }, () => pool.connect()));
  clients.forEach((client) => client.release());
  return pool;
}

async function loops(system, pool, n, seconds, limit) {
  const { take, tasks = TASKS } = await system.open(pool, n);
  const began = performance.now();
  const end = began + seconds * 1000;
  let taken = 0;

  async function loop() {
    while (taken < limit && performance.now() < end) {
      const got = await take();
      if (!got) throw new Error('found nothing to take');
      taken += got;
    }
  }
  await Promise.all(Array.from({ length: tasks }, loop));
  return { taken, seconds: (performance.now() - began) / 1000 };
}

async function main(verb, name, ...words) {
  const system = await import(`./${name}.js`);
  if (verb === 'has') {
    await import('pg');
    return;
  }
  const pool = await connect(system.connections ?? TASKS);
  const numbers = words.map(Number);
  if (verb === 'load') {
    await system.load(pool, ...numbers);
  } else {
    const { taken, seconds } = system.drive
      ? await system.drive(pool, ...numbers)
      : await loops(system, pool, ...numbers);
    console.log(taken, Math.round(taken / seconds));
  }
  await pool.end();
}

main(...process.argv.slice(2)).then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
