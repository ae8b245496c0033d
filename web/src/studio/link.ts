import { ranges, type Settings, type StageSettings } from './settings';

/**
 * Settings as the hash of an address, which a browser never sends to a server: prompts stay out of its
 * logs. What is as usual is left out, and so is a seed that is not kept.
 */
export function toHash(settings: Settings, withSeed: boolean): string {
  const { kind, prompt, count, seed, sampling } = settings;
  const link = new URLSearchParams();
  if (kind === 'vary') link.set('tab', kind);
  if (kind === 'create' && prompt !== '') link.set('prompt', prompt);
  if (count !== 4) link.set('n', String(count));
  if (withSeed) link.set('seed', String(seed));
  if (sampling === 'default') link.set('sampling', sampling);
  for (const stage of ['prior', 'decoder'] as const) {
    for (const name of ['steps', 'guidance'] as const) {
      const value = settings[stage][name];
      if (value !== undefined) link.set(`${stage}.${name}`, String(value));
    }
  }
  const text = link.toString();
  return text === '' ? '' : `#${text}`;
}

/** What a hash says. What it says wrongly is left out. */
export function fromHash(hash: string): Partial<Settings> {
  const link = new URLSearchParams(hash.replace(/^#/, ''));
  const count = within(link.get('n'), ranges.count, true);
  const seed = within(link.get('seed'), ranges.seed, true);
  return {
    kind: link.get('tab') === 'vary' ? 'vary' : 'create',
    prompt: link.get('prompt')?.slice(0, 2000) ?? '',
    ...(count !== undefined && { count }),
    ...(seed !== undefined && { seed }),
    sampling: link.get('sampling') === 'default' ? 'default' : 'fast',
    prior: stageOf(link, 'prior'),
    decoder: stageOf(link, 'decoder'),
  };
}

function stageOf(link: URLSearchParams, stage: string): StageSettings {
  const steps = within(link.get(`${stage}.steps`), ranges.steps, true);
  const guidance = within(link.get(`${stage}.guidance`), ranges.guidance, false);
  return { ...(steps !== undefined && { steps }), ...(guidance !== undefined && { guidance }) };
}

function within(text: string | null, [least, most]: readonly [number, number], whole: boolean) {
  const value = Number(text);
  const right = text !== null && text.trim() !== '' && value >= least && value <= most;
  return right && (!whole || Number.isInteger(value)) ? value : undefined;
}
