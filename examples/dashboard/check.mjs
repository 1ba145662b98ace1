// Looks at the pages with a headless Chromium; test/t/dashboard.pl runs this.
//
//   node check.mjs URL CHROMIUM PROFILE [IMAGES]
//
// Says ok or not ok for each thing looked at.  Pictures go to the directory
// IMAGES.
import puppeteer from 'puppeteer-core';

const [url, executablePath, userDataDir, images] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath, userDataDir,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});
let failures = 0;

function check(what, good, seen = '') {
  console.log(`${good ? 'ok' : 'not ok'} - ${what} ${good ? '' : seen}`);
  if (!good) failures++;
}

// A browser of its own, as far as cookies go.
async function newPage(path, language, height) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error'
    && page.errors.push(message.text()));
  await page.evaluateOnNewDocument((l) => localStorage.language ??= l, language);
  await page.setViewport({ width: 1000, height });
  page.setDefaultTimeout(15000);
  await page.goto(url + path);
  return page;
}

async function shoot(page, name) {
  if (images) await page.screenshot({ path: `${images}/${name}.png` });
}

// How much each picture shows: the sum of what is drawn.
const drawn = (page) => page.evaluate(() => Object.fromEntries(
  Object.entries(window.charts ?? {}).map(([name, chart]) => [name,
    (chart.getOption()?.series ?? []).flatMap((s) => s.data)
      .reduce((sum, item) => sum + Number(item?.value ?? item), 0)])));

const titles = (page) => page.evaluate(() => Object.values(window.charts)
  .map((chart) => chart.getOption().title[0].text).join(' '));

async function checkDashboard() {
  const page = await newPage('', 'en', 865);
  await until(page, () => window.charts && Object.values(window.charts)
    .every((chart) => chart.getOption()?.series?.length));
  for (const [name, sum] of Object.entries(await drawn(page))) {
    check(`${name} shows something`, sum > 0, sum);
  }
  check('seven pictures', Object.keys(await drawn(page)).length === 7);
  check('in English', (await titles(page)).includes('Leaderboard'));
  await shoot(page, 'dashboard');
  await page.click('#language');
  await until(page, () => Object.values(window.charts).every(
    (chart) => /[\u4e00-\u9fff]/.test(chart.getOption().title[0].text)));
  check('and in Chinese', (await page.$eval('h1', (h) => h.textContent))
    === '数据看板');
  await shoot(page, 'dashboard.zh-CN');
  check('no errors on the dashboard', page.errors.length === 0, page.errors);
}

async function sitDown(name, language) {
  const page = await newPage('member', language, 420);
  await page.waitForSelector(`#member option[value=${name}]`);
  await page.select('#member', name);
  await page.waitForSelector(`body[data-ready=${name}]`);
  return page;
}

// Not by frames, of which a page behind others may draw none.
const until = (page, condition, ...args) =>
  page.waitForFunction(condition, { polling: 100 }, ...args);

const said = (page) => page.$eval('#message', (m) => m.dataset.outcome);
// at once, since the page may draw its tables anew at any moment
const click = (page, selector) =>
  page.evaluate((s) => document.querySelector(s).click(), selector);
const press = (page, key, action) =>
  click(page, `tr[data-key="${key}"] button[data-action="${action}"]`);

async function spoken(page) {
  await until(page, () => document.getElementById('message').dataset.outcome);
  return said(page);
}

// The answer to an earlier question comes last: it must not be shown.
async function checkLateAnswer(page) {
  const mine = (p) => p.$$eval('#mine tr[data-key]', (rows) => rows.length);
  const before = await mine(page);
  await page.evaluate(() => {
    const { fetch } = window;
    window.fetch = async (...request) => {
      window.fetch = fetch;
      const response = await fetch(...request);
      await new Promise((release) => { window.deliver = release; });
      return response;
    };
    document.getElementById('language').click();
  });
  await until(page, () => window.deliver);
  await click(page, 'button[data-action=claim_next]');
  await until(page, (n) =>
    document.querySelectorAll('#mine tr[data-key]').length === n, before + 1);
  await page.evaluate(async () => {
    window.deliver();
    await new Promise((done) => setTimeout(done, 200));
  });
  check('a late answer is not shown', await mine(page) === before + 1);
}

async function checkDesks() {
  const desks = [await sitDown('ann', 'en'), await sitDown('bob', 'en')];
  const key = await desks[0].$eval('#open tr[data-key]', (r) => r.dataset.key);
  await Promise.all(desks.map((page) => press(page, key, 'claim')));
  const outcomes = await Promise.all(desks.map(spoken));
  const winner = desks[outcomes.indexOf('claimed')];
  const loser = desks[1 - outcomes.indexOf('claimed')];
  check('one of two browsers wins', outcomes.filter((o) => o === 'claimed')
    .length === 1, outcomes);
  check('the other is told so', outcomes.filter((o) =>
    ['taken', 'contended'].includes(o)).length === 1, outcomes);
  check('in words', /Somebody else/.test(
    await loser.$eval('#message', (m) => m.textContent)));
  await winner.waitForSelector(`#mine tr[data-key="${key}"]`);
  await until(loser, (k) =>
    !document.querySelector(`#open tr[data-key="${k}"]`), key);
  check('and it is gone from his page', true);
  await loser.waitForSelector('body[data-ready]');
  await shoot(loser, 'desk');

  await press(winner, key, 'follow_up');
  await winner.waitForSelector('#message[data-outcome=ok]');
  await until(winner, (k) => document.querySelector(
    `#mine tr[data-key="${k}"] td:nth-child(3)`)?.textContent === '1', key);
  check('a follow-up is noted', true);
  await press(winner, key, 'release');
  await winner.waitForSelector('#message[data-outcome=released]');
  await until(winner, (k) =>
    !document.querySelector(`#mine tr[data-key="${k}"]`), key);
  check('and it is given back', true);
  console.log(`# lead ${key}`);

  const zh = await sitDown('cid', 'zh');
  await click(zh, 'button[data-action=claim_next]');
  await zh.waitForSelector('#message[data-outcome=claimed]');
  check('the desk speaks Chinese', /领取成功/.test(
    await zh.$eval('#message', (m) => m.textContent)));
  await zh.waitForSelector('body[data-ready=cid]');
  await shoot(zh, 'desk.zh-CN');
  await checkLateAnswer(zh);
  for (const page of [...desks, zh]) {
    check('no errors at a desk', page.errors.length === 0, page.errors);
  }
}

try {
  await checkDashboard();
  await checkDesks();
} catch (error) {
  check('no exception', false);
  console.error(error.stack);
} finally {
  await browser.close();
}
process.exitCode = failures ? 1 : 0;
