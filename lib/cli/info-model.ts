import { type Inspection, inspectModel } from '../layouts/inspect.js';
import { rows } from './rows.js';

/** `karlo info FOLDER`: what a model folder holds. */
export async function describeFolder(folder: string, json: boolean): Promise<string> {
  const inspection = await inspectModel(folder);
  return json ? JSON.stringify(inspection, null, 2) : describe(inspection);
}

function describe({ folder, layout, from, components, missing }: Inspection): string {
  const parts = Object.entries(components).map(([name, part]): [string, string] => {
    const { parameters, dtype, bytes } = part;
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    return [name, `${(parameters / 1e6).toFixed(1)} M parameters, ${dtype}, ${size}`];
  });
  const state = (lacking: readonly string[]) =>
    lacking.length === 0 ? 'ready' : `missing: ${lacking.join(', ')}`;
  return rows([
    ['folder', folder],
    ['layout', from ? `${layout}, from ${from}` : layout],
    ...parts,
    ['text to image', state(missing.textToImage)],
    ['image variation', state(missing.imageVariation)],
  ]);
}
