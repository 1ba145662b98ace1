// A member's desk: what is in the pool, what is his, and three buttons.
import { outcome, speak, word } from './words.js';

const message = document.getElementById('message');
const member = document.getElementById('member');

function tell(name, well, detail = '') {
  message.className = well ? 'done' : 'refused';
  message.dataset.outcome = name;
  message.textContent = `${detail} ${outcome(name)}`;
}

async function call(path, options) {
  const response = await fetch(`/api/${path}`, options);
  const result = await response.json();
  if (!response.ok) {
    throw Object.assign(new Error(result.error), { lost: response.status >= 500 });
  }
  return result;
}

// The same request id again where an answer got lost, on the way here or between
// server and database: what was done once is not done twice.
async function act(action, lead) {
  const body = JSON.stringify({
    ...lead, kind: 'call', request: crypto.randomUUID() });
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(action, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body });
    } catch (error) {
      const lost = error.lost || error instanceof TypeError; // fetch's own
      if (!lost || attempt === 5) throw error;
      tell('lost', false);
      await new Promise((done) => setTimeout(done, 500 * attempt));
    }
  }
}

async function press(action, lead) {
  try {
    const result = await act(action, lead);
    tell(result.outcome, ['claimed', 'ok', 'released'].includes(result.outcome),
      result.key ?? lead.key ?? '');
  } catch (error) {
    message.className = 'refused';
    message.textContent = error.message;
  }
  await show();
}

function button(action, lead) {
  const element = document.createElement('button');
  element.textContent = word(action);
  element.dataset.action = action;
  element.onclick = () => press(action, lead);
  return element;
}

const dateTime = (text) => new Date(text).toLocaleString(
  document.documentElement.lang, { dateStyle: 'short', timeStyle: 'short' });

function fill(id, leads, columns, actions) {
  const table = document.getElementById(id);
  const line = (tag, cells) => {
    const row = document.createElement('tr');
    for (const content of cells) {
      row.appendChild(document.createElement(tag)).append(content);
    }
    return row;
  };
  table.replaceChildren(line('th', [...columns.map(word), '']),
    ...leads.map((lead) => {
      const row = line('td', columns.map((column) => (column === 'due_at'
        && lead.due_at ? dateTime(lead.due_at)
        : lead[column] ?? '')));
      row.dataset.key = lead.key;
      row.appendChild(document.createElement('td'))
        .append(...actions.map((action) => button(action, lead)));
      return row;
    }));
}

let asked = 0;

async function show() {
  const turn = ++asked;
  const who = member.value;
  delete document.body.dataset.ready;
  const desk = await call('desk');
  if (turn !== asked) return; // a later question has the newer answer
  document.getElementById('quota').replaceChildren(...desk.quota.map((row) => {
    const item = document.createElement('span');
    const figure = document.createElement('b');
    figure.textContent = row.pool;
    item.append(figure, `${word('held')} ${row.held} ${word('limit')} `
      + `${row.hold_limit ?? '∞'}, ${word('claimed_today')} `
      + `${row.claimed_today} ${word('limit')} ${row.claim_limit ?? '∞'} `,
    button('claim_next', { pool: row.pool }));
    return item;
  }));
  fill('open', desk.open, ['key', 'name', 'source', 'grade'], ['claim']);
  fill('mine', desk.mine, ['key', 'name', 'follow_ups', 'due_at'],
    ['follow_up', 'release']);
  document.body.dataset.ready = who;
}

// In an application this is the session's user, not a choice.
for (const row of await call('members')) {
  member.add(new Option(row.member, row.member));
}
const choose = () => {
  document.cookie = `member=${encodeURIComponent(member.value)}`;
  return show();
};
const known = /(?:^|; )member=([^;]*)/.exec(document.cookie);
if (known) member.value = decodeURIComponent(known[1]);
document.cookie = `member=${encodeURIComponent(member.value)}`;
member.onchange = choose;
speak(show);
// Others claim too: a lead answered as contended is gone a moment later.
const watch = () => setTimeout(() => show().catch(() => {}).finally(watch), 5000);
watch();
