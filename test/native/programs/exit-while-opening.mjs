// exit-while-opening.mjs MILLISECONDS: calls process.exit() while LibTorch is opened on another thread, that time
// after the start.
import { openAhead } from '../../../dist/lib/torch/load.js';

openAhead();
setTimeout(() => process.exit(7), Number(process.argv[2]));
