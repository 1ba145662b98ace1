// graphile-worker: its worker runs a task that does nothing, 8 jobs at a time.
// Taking one: its defaults, a statement that locks a job and one that deletes
// it.  Taking 100: its local queue of 100, and completion in batches without
// delay.  No quota, no log; the owner is the worker, while the job runs; a
// finished job leaves no row.  It has two connections more than the others, as
// its manual asks for: one of them listens.

import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Logger, run, runMigrations } from 'graphile-worker';

export const connections = 10;

const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message);
});

export async function load(pg, stock) {
  await runMigrations({ pgPool: pg, logger });
  for (let from = 0; from < stock; from += 5000) {
    await pg.query(`SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
        SELECT json_populate_record(NULL::graphile_worker.job_spec,
            json_build_object('identifier', 'nothing',
                'payload', json_build_object('lead', i)))
        FROM generate_series($1::integer, $2::integer) i))`,
    [from, Math.min(from + 5000, stock) - 1]);
  }
}

// The clock runs from the first job's start to the last one's completion, which
// the worker does not wait for.
function count(events, seconds, limit) {
  const figures = { taken: 0 };
  figures.enough = new Promise((resolve) => {
    events.once('job:start', () => {
      figures.began = performance.now();
      setTimeout(seconds * 1000).then(resolve);
    });
    events.on('job:complete', () => {
      figures.ended = performance.now();
      figures.taken += 1;
      if (figures.taken >= limit) resolve();
    });
  });
  return figures;
}

export async function drive(pg, n, seconds, limit) {
  const events = new EventEmitter();
  const figures = count(events, seconds, limit);
  const runner = await run({
    pgPool: pg,
    taskList: { nothing() {} },
    parsedCronItems: [],
    concurrency: 8,
    noHandleSignals: true,
    events,
    logger,
    preset: n === 1 ? {} : {
      worker: { localQueue: { size: n }, completeJobBatchDelay: 0 },
    },
  });
  await figures.enough;
  await runner.stop();
  while (pg.waitingCount > 0 || pg.idleCount < pg.totalCount) {
    await setTimeout(1);
  }
  return {
    taken: figures.taken,
    seconds: (figures.ended - figures.began) / 1000,
  };
}
