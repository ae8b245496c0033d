/** Names in diffusers, in Kakao's program and elsewhere, and the options or values here that they correspond to. */
const foreignNames: Readonly<Record<string, string>> = {
  n: 'count',
  numimages: 'count',
  numimagesperprompt: 'count',
  bsz: 'batchsize',
  maxbsz: 'batchsize',
  bestof: 'candidates',
  numcandidates: 'candidates',
  generator: 'seed',
  samplingtype: 'sampling',
  numinferencesteps: 'steps',
  cfgscale: 'guidancescale',
  cfscale: 'guidancescale',
  scheduler: 'sampler',
  dpm: 'dpm++',
  dpmpp: 'dpm++',
  dpmpp2m: 'dpm++',
  'dpm++2m': 'dpm++',
  dpmsolver: 'dpm++',
  'dpmsolver++': 'dpm++',
  dpmsolvermultistep: 'dpm++',
  dpmsolvermultistepscheduler: 'dpm++',
  unipcmultistep: 'unipc',
  unipcmultistepscheduler: 'unipc',
  ddimscheduler: 'ddim',
  unclipscheduler: 'ddpm',
  ancestral: 'ddpm',
  upscale: 'upsample',
  superres: 'upsample',
  sr: 'upsample',
  superresnuminferencesteps: 'upsample.steps',
  priornuminferencesteps: 'prior.steps',
  decodernuminferencesteps: 'decoder.steps',
  fp32: 'float32',
  float: 'float32',
  full: 'float32',
  fp16: 'float16',
  half: 'float16',
  bf16: 'bfloat16',
  gpu: 'cuda',
  nvidia: 'cuda',
  crop: 'cover',
  stretch: 'fill',
  slow: 'default',
  warning: 'warn',
  trace: 'debug',
  verbose: 'debug',
  off: 'silent',
};

/** A question that suggests one of several words; undefined if none is close to the value. */
export function didYouMean(value: unknown, words: readonly string[]): string | undefined {
  const meant = typeof value === 'string' ? nearest(value, words) : undefined;
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

/** The known name that was most likely meant; undefined if none is close. */
export function nearest(option: string, known: readonly string[]): string | undefined {
  const written = simple(option);
  const foreign = Object.hasOwn(foreignNames, written) ? foreignNames[written] : undefined;
  const meant = simple(foreign ?? written);
  const tail = (name: string) => simple(name.slice(name.lastIndexOf('.') + 1));
  const distance = (name: string) => Math.min(edits(meant, simple(name)), edits(meant, tail(name)));
  const scored = known.map((name) => [distance(name), name] as const);
  const [best] = scored.sort(([a], [b]) => a - b);
  return best !== undefined && best[0] <= Math.max(1, meant.length / 3) ? best[1] : undefined;
}

/** Without case and separators: `guidance_scale` is a spelling of `guidanceScale`. */
function simple(name: string): string {
  return cut(name)
    .toLowerCase()
    .replace(/[-_.\s]/g, '');
}

/** A name, shortened for messages. */
export function cut(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name;
}

/** Insertions, deletions, substitutions and swaps of neighbours (Damerau 1964), row by row. */
function edits(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const other = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : other;
      next[j] = Math.min(other, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length] as number;
}
