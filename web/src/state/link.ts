import {
  animations,
  candidateChoices,
  defaultCount,
  defaultSampling,
  easings,
  editModes,
  hasPrompt,
  initialSettings,
  kinds,
  makesDrafts,
  maxPromptLength,
  ranges,
  type Settings,
  type Stage,
  type StageSettings,
  samplers,
  samplings,
} from './settings';

const stages = ['prior', 'decoder', 'upsample'] as const;

/** Settings of a single tab, which links of the others leave out. */
const fieldsOfTabs = {
  interpolate: ['frames', 'easing', 'animation'],
  edit: ['editMode', 'from', 'to', 'strength'],
} as const;

/**
 * Settings as the hash of a URL. Browsers do not send it to the server, so that prompts stay out of its
 * logs. Defaults are left out, and so is the seed unless it is wanted.
 */
export function toHash(settings: Settings, { withSeed }: { withSeed: boolean }): string {
  const { kind, prompt, count, seed, candidates, sampling } = settings;
  const params = new URLSearchParams();
  if (kind !== 'create') params.set('tab', kind);
  if (hasPrompt(settings) && prompt !== '') params.set('prompt', prompt);
  if (count !== defaultCount && kind !== 'interpolate') params.set('n', String(count));
  if (withSeed) params.set('seed', String(seed));
  if (candidates > 1) params.set('candidates', String(candidates));
  if (makesDrafts(settings)) params.set('drafts', 'first');
  if (sampling !== defaultSampling) params.set('sampling', sampling);
  for (const stage of stages) {
    for (const name of ['steps', 'guidance', 'sampler'] as const) {
      const value = settings[stage][name];
      if (value !== undefined) params.set(`${stage}.${name}`, String(value));
    }
  }
  const defaults = initialSettings();
  for (const name of kind === 'interpolate' || kind === 'edit' ? fieldsOfTabs[kind] : []) {
    if (settings[name] !== defaults[name]) params.set(name, String(settings[name]));
  }
  const text = params.toString();
  return text === '' ? '' : `#${text}`;
}

/** The settings in a hash. Invalid values are ignored. */
export function fromHash(hash: string): Partial<Settings> {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const count = parseNumber(params.get('n'), ranges.count, { integer: true });
  const seed = parseNumber(params.get('seed'), ranges.seed, { integer: true });
  const candidates = candidateChoices.find((count) => String(count) === params.get('candidates'));
  return {
    kind: parseChoice(params.get('tab'), kinds) ?? 'create',
    prompt: parseText(params.get('prompt')),
    ...(count !== undefined && { count }),
    ...(seed !== undefined && { seed }),
    candidates: candidates ?? 1,
    draftsFirst: params.get('drafts') === 'first',
    sampling: parseChoice(params.get('sampling'), samplings) ?? defaultSampling,
    prior: parseStage(params, 'prior'),
    decoder: parseStage(params, 'decoder'),
    upsample: { steps: parseStage(params, 'upsample').steps },
    ...parseTabs(params),
  };
}

function parseTabs(params: URLSearchParams): Partial<Settings> {
  const defaults = initialSettings();
  const frames = parseNumber(params.get('frames'), ranges.frames, { integer: true });
  return {
    frames: frames ?? defaults.frames,
    easing: parseChoice(params.get('easing'), easings) ?? defaults.easing,
    animation: parseChoice(params.get('animation'), animations) ?? defaults.animation,
    editMode: parseChoice(params.get('editMode'), editModes) ?? defaults.editMode,
    from: parseText(params.get('from')),
    to: parseText(params.get('to')),
    strength: parseNumber(params.get('strength'), ranges.strength) ?? defaults.strength,
  };
}

function parseText(text: string | null): string {
  return text?.slice(0, maxPromptLength) ?? '';
}

function parseStage(params: URLSearchParams, stage: Stage): StageSettings {
  const steps = parseNumber(params.get(`${stage}.steps`), ranges.steps, { integer: true });
  const guidance = parseNumber(params.get(`${stage}.guidance`), ranges.guidance);
  const sampler = parseChoice(params.get(`${stage}.sampler`), samplers);
  return {
    ...(steps !== undefined && { steps }),
    ...(guidance !== undefined && { guidance }),
    ...(sampler !== undefined && { sampler }),
  };
}

function parseChoice<T extends string>(text: string | null, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === text);
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
