// What is opened ahead, is open: who needs it waits for the rest, and the environment is as before.
import { openAhead } from '../../../dist/lib/torch/load.js';
import { runOnce } from './common.mjs';

const before = { ...process.env };
const opening = openAhead();
const open = process.argv[2] === 'at once' ? undefined : await opening;
await runOnce();
await openAhead();
const changed = Object.keys({ ...before, ...process.env }).filter(
  (name) => process.env[name] !== before[name],
);
console.log(JSON.stringify({ open: open ?? null, changed }));
