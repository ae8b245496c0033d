// npm run bench -- full-size FOLDER: a model of Karlo's full size with random weights, for timings and
// memory, where the pictures do not matter.
import { writeFullSize } from './full-size/write.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run bench -- full-size FOLDER');
  process.exit(2);
}
await writeFullSize(folder);
