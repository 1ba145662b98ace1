// The schema `pool` as a GraphQL API over HTTP, by PostGraphile.
//
//   JWT_SECRET=... node server.mjs [PORT]   5000 by default; 127.0.0.1 only
//
// The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE, with a
// login that has no rights of its own but is a member of its users' roles
// (setup.sql). A request carries a token that names the role; its queries run
// under SET ROLE in one transaction: so the database decides what it may do,
// just as if this person had connected.
import { createServer } from 'node:http';
import utils from 'graphile-utils';
import pg from 'pg';
import { postgraphile } from 'postgraphile';

const connections = new pg.Pool({ max: 8 });
// A connection may break, idle or in use: the query in it fails, the next one
// opens another. Without these listeners it would end the whole program.
connections.on('error', () => {});
connections.on('connect', (client) => client.on('error', () => {}));

// PostGraphile has a type Point of its own; and what only serves views is not
// worth a query.
const helpers = ['clock', 'current_member_id', 'is_team_manager', 'lead_progress',
  'member_zone', 'next_timer', 'pool_zone', 'search_terms', 'sees_tenant',
  'worker_status'];
const names = utils.makeJSONPgSmartTagsPlugin({
  version: 1,
  config: {
    class: { 'pool.points': { tags: { name: 'reward_points' } } },
    procedure: Object.fromEntries(helpers.map((name) =>
      [`pool.${name}`, { tags: { omit: true } }])),
  },
});

const api = postgraphile(connections, 'pool', {
  jwtSecret: process.env.JWT_SECRET, // its claim `role` becomes the role
  includeExtensionResources: true, // the schema belongs to one
  ignoreRBAC: false, // show only what some user of the gateway may use
  setofFunctionsContainNulls: false,
  legacyRelations: 'omit',
  appendPlugins: [names],
  graphiql: true, // a page to try it at /graphiql
  enhanceGraphiql: true,
  extendedErrors: ['errcode', 'detail', 'hint'],
  disableQueryLog: true, // queries have personal data
  bodySizeLimit: '1MB',
});

const server = createServer(api);
server.listen(Number(process.argv[2] ?? 5000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/graphql`);
});
