// Node to Node, for comparison: round trips of one message at a time, and requests that are sent while many wait for their answers.
// Usage: node talk_parent.js <round trips> <requests> <window> [child: a program; else talk_child.js]
const { fork, spawn } = require('child_process');
const [roundTrips, requests, window] = process.argv.slice(2, 5).map(Number);
const program = process.argv[5];
const child = program ? spawn(program, [], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] }) : fork(`${__dirname}/talk_child.js`);

const message = (id) => ({ id, method: 'resize', params: { file: 'image_0042.png', width: 640, height: 480 } });
const at = (sorted, share) => sorted[Math.floor((sorted.length - 1) * share)] / 1e3;
const now = () => Number(process.hrtime.bigint());

const times = [];
let sent = now();
const turn = () => {
  times.push(now() - sent);
  if (times.length === Math.round(1.1 * roundTrips)) return flood();
  sent = now();
  child.send(message(times.length));
};
let asked = 0;
let answered = 0;
let start = 0;
const ask = () => child.send({ jsonrpc: '2.0', id: asked, method: 'echo', params: { number: asked++ } });
const take = () => {
  if (++answered === requests) return end();
  if (asked < requests) ask();
};
const flood = () => {
  child.removeListener('message', turn);
  child.on('message', take);
  start = now();
  for (let i = 0; i < window; ++i) ask();
};
const end = () => {
  const seconds = (now() - start) / 1e9;
  const sorted = times.slice(roundTrips / 10).sort((a, b) => a - b);
  console.log(JSON.stringify({ bench: 'channel_talk_node', p50_us: at(sorted, 0.5), p99_us: at(sorted, 0.99),
                               requests_a_second: Math.round(requests / seconds) }));
  child.disconnect();
};
child.on('message', turn);
child.send(message(0));
