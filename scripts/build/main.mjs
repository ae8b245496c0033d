// npm run build

import { makeReady } from './ready.mjs';
import { report } from './report.mjs';

await report(() => makeReady());
