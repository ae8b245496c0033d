// exit-mid-step.mjs MILLISECONDS: calls process.exit() while the inference thread computes, that time after the call
// started.
import { runOnce, spin } from './common.mjs';

const module = await runOnce();
const calls = [spin(module, 100), spin(module, 1e9)];
Promise.allSettled(calls);
setTimeout(() => process.exit(7), Number(process.argv[2]));
