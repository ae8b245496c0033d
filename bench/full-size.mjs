// npm run bench -- full-size FOLDER: writes a full-size model with random weights, for measurements of time
// and memory in which the images do not matter.
import { writeFullSize } from './full-size/write.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run bench -- full-size FOLDER');
  process.exit(2);
}
await writeFullSize(folder);
