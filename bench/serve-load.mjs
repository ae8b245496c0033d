// npm run bench -- serve-load [SECONDS] [CLIENTS]: many concurrent clients on a server with karlo-tiny. Prints
// responses by status, latencies, the server's event-loop delay and its memory; --json prints one object.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../scripts/build/ready.mjs';

const numbers = process.argv.slice(2).filter((word) => /^\d+$/.test(word));
const [seconds = 60, clients = 64] = numbers.map(Number);

const main = join(root, 'dist', 'lib', 'cli', 'main.js');
const options = ['--port', '0', '--rate-limit', '0', '--queue-size', '48', '--log-level', 'warn'];
// A small heap, which a leak would exhaust.
const server = spawn(process.execPath, ['--max-old-space-size=128', main, 'serve', ...options], {
  stdio: ['ignore', 'inherit', 'pipe'],
});
const url = await address();

async function address() {
  let said = '';
  for await (const data of server.stderr) {
    said += data;
    const found = /at (http:\S+)/.exec(said)?.[1];
    if (found) return found;
  }
  throw new Error(said);
}

/** Few steps, because this measures the server and not the model. */
const body = JSON.stringify({
  prompt: 'a red heart on a white background',
  prior: { steps: 2 },
  decoder: { steps: 2 },
  upsample: { steps: 1 },
  stream: true,
  partial_images: 1,
});

/** @type {Record<string, number>} */
const statuses = {};
/** @type {number[]} */
const latencies = [];

/** @param {number} end */
async function client(end) {
  while (performance.now() < end) {
    const start = performance.now();
    const status = await request().catch((error) => error.name);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === '200') latencies.push(performance.now() - start);
    else await sleep(200);
  }
}

async function request() {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/images/generations`, { method: 'POST', headers, body });
  const text = await response.text();
  const whole = text.includes('event: image_generation.completed');
  return response.ok && !whole ? 'cut' : String(response.status);
}

/** @param {string} text @param {string} name */
function figure(text, name) {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** @type {{ memory: number, lag: number }[]} */
const samples = [];
const sampler = setInterval(async () => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const memory = figure(text, 'process_resident_memory_bytes') / 1e6;
  // For the time since the last sample.
  const lag = figure(text, 'nodejs_eventloop_lag_p99_seconds') * 1000;
  samples.push({ memory, lag });
}, 1000);

const end = performance.now() + 1000 * seconds;
await Promise.all(Array.from({ length: clients }, () => client(end)));
clearInterval(sampler);
const exit = once(server, 'exit');
server.kill('SIGTERM');
const [status] = await exit;

/** @param {number[]} values @param {number} part */
function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** The least and the most of a part of the run, in MB. @param {number} from @param {number} to */
function memory(from, to) {
  const part = samples
    .slice(Math.floor(from * samples.length), Math.ceil(to * samples.length))
    .map((sample) => Math.round(sample.memory));
  return { least: Math.min(...part), most: Math.max(...part) };
}

const lags = samples.map(({ lag }) => lag);
const result = {
  seconds,
  clients,
  statuses,
  latency: {
    p50: Math.round(quantile(latencies, 0.5)),
    p99: Math.round(quantile(latencies, 0.99)),
  },
  eventLoop: {
    p99: Number(quantile(lags, 0.5).toFixed(1)),
    worst: Number(Math.max(...lags).toFixed(1)),
  },
  memory: { firstHalf: memory(0, 0.5), secondHalf: memory(0.5, 1) },
  exit: status,
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else console.dir(result);
