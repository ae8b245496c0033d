import type { SamplerName } from '../../../options/descriptions.js';

interface NamedSampler {
  /** As A1111 lists it. */
  readonly label: string;
  /** Further names, in lower case. */
  readonly aliases: readonly string[];
}

const labels: Readonly<Record<SamplerName, NamedSampler>> = {
  ddpm: { label: 'DDPM', aliases: ['ddpm'] },
  ddim: { label: 'DDIM', aliases: ['ddim'] },
  'dpm++': { label: 'DPM++ 2M', aliases: ['dpm++ 2m', 'k_dpmpp_2m', 'dpmpp_2m', 'dpm++'] },
  unipc: { label: 'UniPC', aliases: ['unipc', 'uni_pc'] },
};

const entries = Object.entries(labels) as [SamplerName, NamedSampler][];

/** The samplers, as `GET /sdapi/v1/samplers` lists them. */
export const listedSamplers = entries.map(([, { label, aliases }]) => ({
  name: label,
  aliases: [...aliases],
  options: {},
}));

/** The names of the samplers, for messages. */
export const samplerLabels = entries.map(([, { label }]) => label).join(', ');

export function labelOfSampler(sampler: SamplerName): string {
  return labels[sampler].label;
}

/** The sampler of a name such as `DPM++ 2M Karras`; undefined if there is none. */
export function findSampler(name: string): SamplerName | undefined {
  // Older versions of A1111 append the schedule, which samplers here do not have.
  const alias = name.toLowerCase().replace(/ (karras|exponential|automatic)$/, '');
  return entries.find(([, { aliases }]) => aliases.includes(alias))?.[0];
}
