import {
  defaultCount,
  type GuidedStage,
  maxPromptLength,
  ranges,
  type Settings,
  type StageSettings,
} from './settings';

/**
 * Settings as the hash of a URL. Browsers do not send it to the server, so that prompts stay out of its
 * logs. Defaults are left out, and so is the seed unless it is wanted.
 */
export function toHash(settings: Settings, { withSeed }: { withSeed: boolean }): string {
  const { kind, prompt, count, seed, sampling } = settings;
  const params = new URLSearchParams();
  if (kind === 'vary') params.set('tab', kind);
  if (kind === 'create' && prompt !== '') params.set('prompt', prompt);
  if (count !== defaultCount) params.set('n', String(count));
  if (withSeed) params.set('seed', String(seed));
  if (sampling === 'default') params.set('sampling', sampling);
  for (const stage of ['prior', 'decoder'] as const) {
    for (const name of ['steps', 'guidance'] as const) {
      const value = settings[stage][name];
      if (value !== undefined) params.set(`${stage}.${name}`, String(value));
    }
  }
  const text = params.toString();
  return text === '' ? '' : `#${text}`;
}

/** The settings in a hash. Invalid values are ignored. */
export function fromHash(hash: string): Partial<Settings> {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const count = parseNumber(params.get('n'), ranges.count, { integer: true });
  const seed = parseNumber(params.get('seed'), ranges.seed, { integer: true });
  return {
    kind: params.get('tab') === 'vary' ? 'vary' : 'create',
    prompt: params.get('prompt')?.slice(0, maxPromptLength) ?? '',
    ...(count !== undefined && { count }),
    ...(seed !== undefined && { seed }),
    sampling: params.get('sampling') === 'default' ? 'default' : 'fast',
    prior: parseStage(params, 'prior'),
    decoder: parseStage(params, 'decoder'),
  };
}

function parseStage(params: URLSearchParams, stage: GuidedStage): StageSettings {
  const steps = parseNumber(params.get(`${stage}.steps`), ranges.steps, { integer: true });
  const guidance = parseNumber(params.get(`${stage}.guidance`), ranges.guidance);
  return { ...(steps !== undefined && { steps }), ...(guidance !== undefined && { guidance }) };
}

function parseNumber(
  text: string | null,
  [min, max]: readonly [number, number],
  { integer = false } = {},
): number | undefined {
  const value = Number(text);
  const inRange = text !== null && text.trim() !== '' && value >= min && value <= max;
  return inRange && (!integer || Number.isInteger(value)) ? value : undefined;
}
