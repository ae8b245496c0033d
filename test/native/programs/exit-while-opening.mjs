// process.exit() while LibTorch opens on another thread: MILLISECONDS after it began.
import { openAhead } from '../../../dist/lib/torch/load.js';

openAhead();
setTimeout(() => process.exit(7), Number(process.argv[2]));
