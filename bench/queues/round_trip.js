// SELECT 1: what the driver itself takes, and so the most that a system of one
// statement can reach here.

export async function open(pg) {
  return {
    async take() {
      const { rows } = await pg.query({ name: 'nothing', text: 'SELECT 1' });
      return rows.length;
    },
  };
}
