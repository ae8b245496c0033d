// npm run fuzz [-- SECONDS [SEED]]: mutated files for the readers of weights, ten minutes from a seed of chance.
import { randomInt } from 'node:crypto';

const [seconds = '600', seed = String(randomInt(256))] = process.argv.slice(2);
Object.assign(process.env, { KARLO_FUZZ_SECONDS: seconds, KARLO_FUZZ_SEED: seed });
process.argv.splice(2, process.argv.length, 'test/fuzz');
await import('./test.mjs');
