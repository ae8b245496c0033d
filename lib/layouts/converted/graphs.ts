// Folders in format 1, which contain the graphs of their networks. Graphs are programs, so they are run only on
// request; weights and configs can be read without them.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { invalidArgument, KarloError } from '../../errors.js';
import { LIBTORCH_VERSION } from '../../libtorch/pins.js';
import { assignWeights } from '../../networks/load-component.js';
import { ScriptModule } from '../../torch/script-module.js';
import { readModelFile } from '../../util/model-file.js';
import { corrupt } from '../../weights/corrupt.js';
import type { Model, ModelDescription } from '../model.js';
import { missingComponent } from '../open-description.js';
import type { ComponentWithGraph, ManifestWithGraphs } from './manifest.js';

/**
 * Loads networks from their graphs.
 * @throws {KarloError} ERR_KARLO_LIBTORCH_VERSION for graphs of another LibTorch version
 */
export function graphLoader(
  manifest: ManifestWithGraphs,
  { folder, components: described }: ModelDescription,
): Model['load'] {
  if (manifest.libtorch !== LIBTORCH_VERSION) throw foreignGraphs(folder, manifest);
  return async (component, placement, { onTensor, signal } = {}) => {
    const entry = manifest.components[component];
    const description = described[component];
    if (!entry || !description) throw missingComponent(folder, component);
    const graph = await readGraph(folder, entry, signal);
    const module = await ScriptModule.load(graph, { engine: placement.engine });
    const weights = [...description.tensors.values()].map((tensor) => ({
      tensor,
      keepFloat32: entry.float32.includes(tensor.name),
    }));
    await assignWeights(module, weights, placement, onTensor);
    return module;
  };
}

/** A graph is loaded only if its hash is the one in the manifest. */
async function readGraph(
  folder: string,
  { graph }: ComponentWithGraph,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const path = join(folder, graph.file);
  const bytes = await readModelFile(path, 'graph', signal);
  const { length } = bytes;
  if (length !== graph.bytes) throw corrupt(`${graph.bytes} bytes`, 'the graph', path, length);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === graph.sha256) return bytes;
  throw corrupt(`SHA-256 ${graph.sha256}`, 'the graph', path, actual);
}

/** For a folder whose graphs the caller does not trust. */
export function untrustedGraphs(folder: string, manifest: ManifestWithGraphs): KarloError {
  const message = `Expected a converted folder without graphs but ${folder} was written by an older version and contains graphs, which are programs. ${convertAgain(folder, manifest)}; or, if you trust the folder like a program, load it with trustGraphs: true (--trust-graphs)`;
  return invalidArgument(message, { argument: 'trustGraphs' });
}

function foreignGraphs(folder: string, manifest: ManifestWithGraphs): KarloError {
  const message = `Expected graphs of LibTorch ${LIBTORCH_VERSION} in ${folder} but received ${manifest.libtorch}. ${convertAgain(folder, manifest)}`;
  return new KarloError('ERR_KARLO_LIBTORCH_VERSION', message);
}

/** Converting reads the weights, and does not run the graphs. */
function convertAgain(folder: string, { dtype }: ManifestWithGraphs): string {
  return `Convert it again, which does not run them: npx karlo convert ${folder} NEW_FOLDER --dtype ${dtype}`;
}
