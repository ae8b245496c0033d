// read.mjs FILE: reads a weight file and prints, as JSON, the outcome and the growth of peak memory in bytes.
import { readWeights } from '../../dist/lib/weights/index.js';

const peak = () => 1024 * process.resourceUsage().maxRSS;

const before = peak();
const outcome = await readWeights(process.argv[2]).then(
  ({ tensors }) => `${tensors.size} tensors`,
  (error) => `${error.code}: ${error.message}`,
);
console.log(JSON.stringify({ outcome, growth: peak() - before }));
