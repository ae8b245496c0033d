// The import rule of lib/, checked by `npm run check`: a file imports from its own layer and from the
// layers below it, type imports included, and no imports form a cycle.

/** The layers, top to bottom. CONTRIBUTING.md says what each one holds. */
export const layers = [
  'cli',
  'eval',
  'serve',
  'ai-sdk',
  'verify',
  'index | karlo | shared-instance',
  'pipeline',
  'safety',
  'hub',
  'layouts',
  'networks',
  'images',
  'embeddings',
  'torch',
  'libtorch',
  'weights',
  'tokenizer',
  'options',
  'util',
  'errors',
];

/** @param {string} layer a folder of lib/, or the names of files that lie loose in it */
function pathOf(layer) {
  const files = layer.replaceAll(' | ', '|');
  return `^lib/(?:${files})(?:/|\\.ts$)`;
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Move what both files need into a third one below them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'known-layers',
      comment: 'Every file of lib/ belongs to a layer of .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^lib/', pathNot: layers.map(pathOf) },
      to: {},
    },
    {
      name: 'only-options-in-the-page',
      comment: 'The page shares the descriptions of options with the package, and nothing else.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^lib/', pathNot: '^lib/options/' },
    },
    ...layers.slice(1).map((layer, i) => ({
      name: `${layer}-imports-down`,
      comment: `${layer} imports nothing from the layers above it.`,
      severity: /** @type {const} */ ('error'),
      from: { path: pathOf(layer) },
      to: { path: layers.slice(0, i + 1).map(pathOf) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
