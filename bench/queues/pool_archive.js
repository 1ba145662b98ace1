// pool.claim and then pool.archive of what was claimed: two calls and a closed
// row, as with the queues that fetch and then complete.

import { claim, countMembers } from './pool.js';

const ARCHIVE = {
  name: 'archive',
  text: `SELECT count(*) FILTER (WHERE outcome = 'archived')::integer AS done
         FROM pool.archive($1, 'done')`,
};

export async function open(pg, n) {
  const members = await countMembers(pg);
  return {
    async take() {
      const leads = await claim(pg, members, n);
      const { rows } = await pg.query({ ...ARCHIVE, values: [leads] });
      return rows[0].done;
    },
  };
}
