// Calls the API over HTTP; test/t/postgraphile.pl runs this.
//
//   JWT_SECRET=... node check.mjs URL
//
// Says ok or not ok for each thing looked at.
import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';

const url = process.argv[2];
let failures = 0;

function check(what, seen, wanted) {
  const good = JSON.stringify(seen) === JSON.stringify(wanted);
  console.log(`${good ? 'ok' : 'not ok'} - ${what}`);
  if (!good) {
    failures++;
    console.log(`# seen ${JSON.stringify(seen)}`);
  }
}

async function ask(role, query, variables) {
  const headers = { 'content-type': 'application/json' };
  if (role) {
    headers.authorization = `Bearer ${jwt.sign({ role },
      process.env.JWT_SECRET, { audience: 'postgraphile', expiresIn: '1m' })}`;
  }
  const response = await fetch(url,
    { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}

const claim = `mutation ($pool: String!, $member: String, $request: UUID) {
  claim(input: {pool: $pool, member: $member, requestId: $request}) {
    results { outcome key name attributes limitValue used }
  }
}`;
const claimAs = async (role, variables) => {
  const { data, errors } = await ask(role, claim,
    { pool: 'sales', ...variables });
  return errors ? errors[0].errcode : data.claim.results.map((row) =>
    `${row.outcome} ${row.key}`);
};

// names and comments
const { data: { __schema: schema } } = await ask('ann', `{ __schema {
  mutationType { fields { name description args { type { ofType {
    inputFields { name description } } } } } }
  queryType { fields { name } }
  types { name description fields { name description } } } }`);
const mutations = Object.fromEntries(
  schema.mutationType.fields.map((field) => [field.name, field]));
check('claim has its comment',
  /^The member .* takes the best n leads/.test(mutations.claim?.description),
  true);
check('and its arguments', mutations.claim?.args[0].type.ofType.inputFields
  .map((field) => field.name),
  ['clientMutationId', 'pool', 'member', 'n', 'match', 'requestId']);
const type = schema.types.find(({ name }) => name === 'LeadOpen');
check('so has a view', /^Leads available in the enabled pools/
  .test(type?.description), true);
check('and its columns', type?.fields.find(({ name }) =>
  name === 'ticket').description,
  'Place in the queue of the pool; the lowest is served first.');
const names = [...Object.keys(mutations),
  ...schema.queryType.fields.map((field) => field.name),
  ...schema.types.map(({ name }) => name)];
check('there is what people call', ['claim', 'claimLeads', 'followUp',
  'release', 'convert', 'transfer', 'allLeadOpens', 'allLeadMines',
  'allQuotaMines', 'allRewardPoints', 'allStatPools', 'history'].filter((name) =>
  !names.includes(name)), []);
check('there is nothing else', ['grantAccess', 'actAs', 'erase', 'resume',
  'poll', 'purgeEvents', 'seesTenant', 'LeadState', 'Event', 'Identity', 'MembershipState',
  'Lead'].filter((name) => names.includes(name)), []);

// a member
const open = await ask('ann',
  '{ allLeadOpens(first: 1, orderBy: PRIORITY_DESC) '
  + '{ nodes { key attributes } } }');
check('ann sees what is open, masked', open.data?.allLeadOpens.nodes,
  [{ key: 'c5', attributes: '{"city":"Shanghai"}' }]);
const request = randomUUID();
check('she claims', await claimAs('ann', { request }), ['claimed c5']);
check('the same request is the same claim',
  await claimAs('ann', { request }), ['claimed c5']);
check('she claims another', await claimAs('ann'), ['claimed c4']);
check('and no third', await claimAs('ann'), ['claim_limit null']);
check('they are hers', (await ask('ann',
  '{ allLeadMines(orderBy: KEY_ASC) { nodes { key } } }')).data?.allLeadMines
  .nodes.map(({ key }) => key), ['c4', 'c5']);

// others
check('bob is no member of the pool', await claimAs('bob'), 'PO003');
check('he cannot claim for ann',
  await claimAs('bob', { member: 'ann' }), 'PO004');
check('what is hers is not his', (await ask('bob',
  '{ allLeadMines { nodes { key } } }')).data?.allLeadMines.nodes, []);
check('he sees nothing open', (await ask('bob',
  '{ allLeadOpens { nodes { key } } }')).data?.allLeadOpens.nodes, []);
const transfer = await ask('ann', `mutation { transfer(input:
  {leads: ["1"], member: "eve"}) { results { outcome } } }`);
check('ann is no manager', transfer.errors?.[0].errcode, '42501');
check('the statistics are not hers', (await ask('ann',
  '{ allStatPools { nodes { pool } } }')).errors?.[0].errcode, '42501');
check('but the manager\'s', (await ask('eve',
  '{ allStatPools { nodes { pool owned } } }')).data?.allStatPools.nodes,
  [{ pool: 'sales', owned: '2' }]);
check('without a token there is nothing', await claimAs(null), '42501');
check('nor as anybody else', /^permission denied to set role/.test((await
  ask('postgres', '{ currentMember }')).errors?.[0].message), true);

process.exitCode = failures ? 1 : 0;
