// npm start -- "<prompt>": sets up and builds what is missing, then runs the command line.
import { makeReady } from './build/ready.mjs';
import { report } from './build/report.mjs';

await report(() => makeReady());
await import(new URL('../dist/lib/cli/main.js', import.meta.url).href);
