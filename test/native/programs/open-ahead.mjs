// Opens LibTorch ahead and uses it 'at once' or 'later'. Prints the error of opening it and the environment variables
// that changed.
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
