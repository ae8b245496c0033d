// The pages of docs/reference/ that follow from the source. Git ignores them: `npm run docs` and `npm run check` write
// them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/ready.mjs';

/** Writes the references of the command line, of HTTP and of environment variables. It needs the compiled package. */
export async function writeReferences() {
  // Imported here, because they import dist/.
  const { commandLinePage } = await import('./command-line.mjs');
  const { environmentPage } = await import('./environment.mjs');
  const { httpPage } = await import('./http.mjs');
  const folder = join(root, 'docs', 'reference');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cli.md'), await commandLinePage());
  writeFileSync(join(folder, 'environment.md'), environmentPage());
  writeFileSync(join(folder, 'http.md'), await httpPage());
}
