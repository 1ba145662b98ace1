// pg-boss: fetch, which makes jobs active, and complete, which marks them; two
// statements.  No quota, no owner, no log of events: state and times in the
// job's row.  A queue of the standard policy; upkeep and schedules, which are
// nothing of taking, are off.

import { PgBoss } from 'pg-boss';

async function start(pg) {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pg.query(text, values) },
    supervise: false,
    schedule: false,
  });
  boss.on('error', (error) => console.error(error.message));
  await boss.start();
  return boss;
}

export async function load(pg, stock) {
  const boss = await start(pg);
  await boss.createQueue('bench');
  for (let from = 0; from < stock; from += 5000) {
    const length = Math.min(5000, stock - from);
    await boss.insert('bench', Array.from({ length }, (_, i) => (
      { data: { lead: from + i } })));
  }
}

export async function open(pg, n) {
  const boss = await start(pg);
  return {
    async take() {
      const jobs = await boss.fetch('bench', { batchSize: n });
      if (jobs.length > 0) {
        await boss.complete('bench', jobs.map((job) => job.id));
      }
      return jobs.length;
    },
  };
}
