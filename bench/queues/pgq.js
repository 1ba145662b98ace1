// PgQ: next_batch, get_batch_events, finish_batch, a transaction each, by one
// consumer: a second one would get all the events again, and Debian has no
// package of its cooperative consumers.  It hands out what lies between two
// ticks, here 100 events, and cannot take one.  No quota, no owner, no trace
// of single events: finishing a batch moves the consumer's position.

async function call(pg, name, text, ...values) {
  const { rows } = await pg.query({ name, text, values });
  return rows;
}

export async function load(pg, stock) {
  await pg.query('CREATE EXTENSION pgq');
  await pg.query(`SELECT pgq.create_queue('bench')`);
  await pg.query(`SELECT pgq.set_queue_config('bench', 'ticker_max_count',
                                              '100')`);
  await pg.query(`SELECT pgq.register_consumer('bench', 'consumer')`);
  for (let from = 0; from < stock; from += 100) {
    await call(pg, 'insert', `SELECT pgq.insert_event('bench', 'lead',
                                  json_build_object('lead', i)::text)
                              FROM generate_series($1::integer,
                                                   $1::integer + 99) i`, from);
    await call(pg, 'tick', `SELECT pgq.ticker('bench')`);
  }
}

export async function open(pg) {
  return {
    tasks: 1,
    async take() {
      const [{ batch }] = await call(pg, 'next',
        `SELECT pgq.next_batch('bench', 'consumer') AS batch`);
      if (batch === null) return 0;
      const events = await call(pg, 'events',
        'SELECT * FROM pgq.get_batch_events($1)', batch);
      await call(pg, 'finish', 'SELECT pgq.finish_batch($1)', batch);
      return events.length;
    },
  };
}
