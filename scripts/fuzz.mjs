// npm run fuzz [-- SECONDS [SEED]]: feeds mutated files to the weight readers, by default for ten minutes and
// from a random seed.
import { randomInt } from 'node:crypto';

const [seconds = '600', seed = String(randomInt(256))] = process.argv.slice(2);
Object.assign(process.env, { KARLO_FUZZ_SECONDS: seconds, KARLO_FUZZ_SEED: seed });
process.argv.splice(2, process.argv.length, 'test/fuzz');
await import('./test.mjs');
