// pool.claim by members at random: the lead has an owner afterwards, held and
// claimed are counted against his limits, the event is written.  That is all
// there is to taking; working on a lead takes weeks.

const CLAIM = {
  name: 'claim',
  text: `SELECT outcome, lead_id
         FROM pool.claim('bench pool', member => $1, n => $2)`,
};

export async function countMembers(pg) {
  const { rows } = await pg.query('SELECT count(*) AS n FROM pool.member');
  return Number(rows[0].n);
}

export async function claim(pg, members, n) {
  const member = `m${1 + Math.floor(Math.random() * members)}`;
  const { rows } = await pg.query({ ...CLAIM, values: [member, n] });
  return rows.filter((row) => row.outcome === 'claimed')
    .map((row) => row.lead_id);
}

export async function open(pg, n) {
  const members = await countMembers(pg);
  return { take: async () => (await claim(pg, members, n)).length };
}
