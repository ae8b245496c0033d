// npm run attack [-- SECONDS [SEED]]: attacks every surface of the package, by default for ten minutes and from a
// random seed. `npm test` runs the same tests, briefly.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @type {Record<string, string[]>} */
const attacks = JSON.parse(readFileSync(new URL('../test/attacks.json', import.meta.url), 'utf8'));
/** Seconds that the tests take besides their random inputs. */
const fixedSeconds = 150;
/** Random inputs in a second, while other tests run: HTTP bodies, and calls of each native function. */
const perSecond = { bodies: 4, calls: 80 };

const [seconds = '600', seed = String(randomInt(256))] = process.argv.slice(2);
const share = Math.max(3, (Number(seconds) - fixedSeconds) / 2);
Object.assign(process.env, {
  KARLO_FUZZ_SEED: seed,
  KARLO_FUZZ_SECONDS: String(share),
  KARLO_FUZZ_BODIES: String(Math.ceil(share * perSecond.bodies)),
  KARLO_FUZZ_CALLS: String(Math.ceil(share * perSecond.calls)),
});
console.log(`Attacking with seed ${seed}`);
process.argv.splice(2, process.argv.length, '--project', 'all', ...Object.values(attacks).flat());
await import('./test.mjs');
