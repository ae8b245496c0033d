// Whether everything loads: the driver, LibTorch's CUDA libraries, and what this package adds.

/** @typedef {import('../compare/context.mjs').Context} Context */

/**
 * @param {Context} context
 * @param {Record<string, string>} facts
 */
export async function describeDevice(context, facts) {
  await context.alone(async (side) => {
    const { devices, version, cudaGraphs } = await side.ask({ do: 'facts' });
    const names = devices.map((/** @type {Record<string, string>} */ { device, name, reason }) =>
      [device, name ?? reason].join(': '),
    );
    facts.devices = names.join('; ');
    facts.LibTorch = `${version.build} from ${version.source}`;
    facts['CUDA graphs'] = cudaGraphs.available ? 'on' : `off. ${cudaGraphs.reason}`;
  });
}
