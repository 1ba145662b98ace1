// The pictures: each asks the server for rows of one view and draws them.
import { speak, word } from './words.js';

const colours = { missed: '#c8553d' };
const series = (rows, type, names, more = {}) => names.map((name) => ({
  name: word(name), type, data: rows.map((row) => row[name]),
  itemStyle: { color: colours[name] }, ...more }));

const bars = (rows, label, names, more) => ({
  xAxis: { type: 'category', data: rows.map((row) => row[label]) },
  yAxis: { type: 'value', splitNumber: 4 },
  series: series(rows, 'bar', names, more),
});

const lying = ({ xAxis, yAxis, series }) => (
  { xAxis: yAxis, yAxis: { ...xAxis, inverse: true }, series });

const options = {
  flow: (rows) => {
    const option = bars(rows, 'day', ['entered', 'taken', 'returned']);
    option.series.push(...series(rows, 'line', ['available_at_end'],
      { yAxisIndex: 1, symbol: 'none' }));
    option.yAxis = [{ type: 'value' }, { type: 'value' }];
    return option;
  },
  funnel: ([sums]) => ({
    legend: { show: false },
    series: [{
      type: 'funnel', top: 40, bottom: 10, sort: 'none',
      label: { position: 'inside', formatter: '{b} {c}' },
      data: ['entered', 'taken', 'contacted', 'converted'].map((name) => ({
        name: word(name), value: sums[name] ?? 0 })),
    }],
  }),
  leaders: (rows) => lying(bars(rows, 'member',
    ['converted', 'followed_up', 'taken'])),
  ageing: (rows) => bars(rows, 'bucket', ['available', 'owned'],
    { stack: 'all' }),
  sla: (rows) => lying(bars(rows, 'rule', ['met', 'missed'],
    { stack: 'all', barMaxWidth: 24 })),
  due: (rows) => bars(rows, 'day', ['reclaim', 'other'], { stack: 'all' }),
  fairness: (rows) => bars(rows, 'member', ['received', 'entitled']),
};

const charts = {};
const main = document.getElementById('pictures');
for (const name of Object.keys(options)) {
  const box = main.appendChild(document.createElement('div'));
  box.id = name;
  charts[name] = echarts.init(box);
}
window.charts = charts; // for the console, and the test
window.onresize = () => Object.values(charts).forEach((c) => c.resize());

async function get(path) {
  const response = await fetch(`/api/${path}`);
  if (!response.ok) throw new Error((await response.json()).error);
  return response.json();
}

const pool = document.getElementById('pool');
const picture = (name) =>
  get(`picture?name=${name}&pool=${encodeURIComponent(pool.value)}`);

async function draw(name) {
  const rows = await picture(name);
  charts[name].setOption({
    animation: false,
    color: ['#3b76c4', '#62b58f', '#e0a33e', '#c8553d'],
    title: { text: word(name), left: 8, top: 6, textStyle: { fontSize: 14 } },
    legend: { top: 28 }, tooltip: {},
    grid: { left: 8, right: 12, bottom: 8, top: 60, containLabel: true },
    ...options[name](rows),
  }, true);
}

const share = (value) => (value === null ? '–' : `${Math.round(value * 100)} %`);

async function drawNow() {
  const [row] = await picture('now');
  const box = document.getElementById('now');
  box.replaceChildren(...Object.entries(row).map(([name, value]) => {
    const item = document.createElement('span');
    const figure = document.createElement('b');
    figure.textContent = /rate$|^util/.test(name) ? share(value) : value;
    item.append(figure, word(name));
    return item;
  }));
}

const drawAll = () => Promise.all([drawNow(),
  ...Object.keys(options).map(draw)]);

for (const { id, name } of await get('pools')) {
  pool.add(new Option(name, id));
}
pool.onchange = drawAll;
speak(drawAll);
setInterval(drawAll, 15000);
