// npm run options: writes what follows as text from the descriptions in lib/options/descriptions.ts: the types in
// lib/options/types.generated.ts, and the tables in docs/reference/options.md. With --check, it only reports what is out of
// date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @import { OptionDescription, OptionTable } from '../lib/options/descriptions.js' */

const root = join(import.meta.dirname, '..');
/** How the flags of a stage's options begin. @type {Readonly<Record<string, string>>} */
const stagePrefixes = { stageOptions: '--decoder-', priorOptions: '--prior-' };
/** Methods that no command has. */
const withoutCommand = ['embedImage', 'embedText', 'fromEmbedding'];
const { descriptions, flagsOf } = await bundled();
const { sentence, ...tables } = descriptions;
/** The methods that work with points in CLIP space, and with the decoder's noise. */
const methodTables = {
  embedImage: tables.embedImageOptions,
  embedText: tables.embedTextOptions,
  ...tables.methodOptions,
  invert: tables.invertOptions,
  reconstruct: tables.reconstructOptions,
  upscale: tables.upscaleOptions,
};

const files = [
  { path: 'lib/options/types.generated.ts', render: typesFile },
  { path: 'docs/reference/options.md', render: withTables },
].filter(({ path }) => existsSync(join(root, path)));
const outdated = files
  .map(({ path, render }) => ({ path, old: readFileSync(join(root, path), 'utf8'), render }))
  .map(({ path, old, render }) => ({ path, old, text: render(old) }))
  .filter(({ old, text }) => old !== text);
if (!process.argv.includes('--check')) {
  for (const { path, text } of outdated) writeFileSync(join(root, path), text);
} else if (outdated.length > 0) {
  console.error(`Out of date: ${outdated.map(({ path }) => path).join(', ')}. Run npm run options`);
  process.exitCode = 1;
}

/** The modules of lib/options, compiled here, because dist/ may be older. */
async function bundled() {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export * as descriptions from './lib/options/descriptions.ts';
        export { flagsOf } from './lib/options/flags.ts';`,
      resolveDir: root,
    },
    ...{ bundle: true, format: 'esm', write: false },
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  /** @type {{ descriptions: typeof import('../lib/options/descriptions.js'), flagsOf: typeof import('../lib/options/flags.js').flagsOf }} */
  const module = await import(`data:text/javascript;base64,${code}`);
  return module;
}

function typesFile() {
  const { stageOptions, generationOptions, textToImageOptions } = tables;
  const unguided = Object.keys(tables.optionsOfStage(generationOptions.upsample));
  const stageMembers = (/** @type {boolean} */ guided) =>
    Object.fromEntries(
      Object.entries(stageOptions).filter(([name]) => unguided.includes(name) !== guided),
    );
  return `${[
    '// Written by `npm run options` from descriptions.ts, where the options are described.',
    interfaceOf('UnguidedStageOptions', 'How super-resolution samples.', stageMembers(false)),
    interfaceOf(
      'StageOptions extends UnguidedStageOptions',
      'How a stage samples.',
      stageMembers(true),
    ),
    interfaceOf('PriorOptions extends StageOptions', 'How the prior samples.', tables.priorOptions),
    interfaceOf(
      'GenerationOptions',
      'Options that `textToImage` and `imageVariation` share.',
      generationOptions,
    ),
    interfaceOf(
      'TextToImageOptions extends GenerationOptions',
      'Options of `textToImage`.',
      textToImageOptions,
    ),
    interfaceOf(
      'ImageVariationOptions extends GenerationOptions',
      'Options of `imageVariation`.',
      tables.imageVariationOptions,
    ),
    ...methodInterfaces(),
    interfaceOf('FinishOptions', 'Options of `karlo.finish`.', tables.finishOptions),
    interfaceOf('LoadOptions', 'Options of `Karlo.load`.', tables.loadOptions, ''),
    interfaceOf(
      'SafetyCheckerOptions',
      'Options of `SafetyChecker.load`.',
      tables.safetyCheckerOptions,
    ),
    interfaceOf(
      'EvaluationOptions',
      'Options of `evaluate`, in `karlo/eval`.',
      tables.evaluationOptions,
    ),
    recordedStage(),
    recordOf(
      'RecordedGenerationOptions',
      'The options of either task that a recipe stores.',
      generationOptions,
    ),
    recordOf(
      'RecordedTextToImageOptions',
      'The options of `textToImage` that a recipe stores.',
      textToImageOptions,
    ),
  ].join('\n\n')}\n`;
}

function methodInterfaces() {
  return Object.entries(methodTables).map(([method, table]) => {
    const name = `${method[0]?.toUpperCase()}${method.slice(1)}Options`;
    return interfaceOf(name, `Options of \`${method}\`.`, table);
  });
}

/**
 * @param {string} name
 * @param {string} comment
 * @param {OptionTable} table
 */
function interfaceOf(name, comment, table, modifier = 'readonly ') {
  const members = Object.entries(table)
    // Their types are of higher layers.
    .filter(([, { kind }]) => kind !== 'callback' && kind !== 'check')
    .map(
      ([option, description]) =>
        `${docComment(description)}  ${modifier}${option}?: ${typeOf(description)} | undefined;`,
    );
  return `/** ${comment} */\nexport interface ${name} {\n${members.join('\n')}\n}`;
}

function recordedStage() {
  const { steps: _steps, timestepRespacing: _respacing, ...others } = tables.stageOptions;
  return `/** The settings of one stage in a recipe. */\nexport type RecordedStage = ({ steps: number } | { timestepRespacing: string }) & {\n${recordedMembers(others)}\n};`;
}

/**
 * @param {string} name
 * @param {string} comment
 * @param {OptionTable} table
 */
function recordOf(name, comment, table) {
  return `/** ${comment} */\nexport interface ${name} {\n${recordedMembers(table)}\n}`;
}

/** @param {OptionTable} table */
function recordedMembers(table) {
  return Object.entries(table)
    .filter(([, { recipe }]) => recipe !== undefined)
    .map(([option, description]) => {
      const [mark, absent] = description.recipe === 'optional' ? ['?', ' | undefined'] : ['', ''];
      const text = sentence(
        description.kind === 'seeds' ? 'seed of this image' : description.description,
      );
      return `  /** ${text} */\n  ${option}${mark}: ${recordedTypeOf(description)}${absent};`;
    })
    .join('\n');
}

/** @param {OptionDescription} description */
function docComment(description) {
  const text = [prose(description), limits(description)].filter(Boolean).join(' ');
  const width = 100 - '   * '.length;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  if (lines.length === 1 && text.length < width) return `  /** ${text} */\n`;
  return `  /**\n${lines.map((line) => `   * ${line}\n`).join('')}   */\n`;
}

/** @param {OptionDescription} description */
function prose({ description, details }) {
  return [sentence(description), details].filter(Boolean).join(' ');
}

/** @param {OptionDescription} description */
function limits(description) {
  const range = rangeOf(description);
  const initial = defaultOf(description);
  return [range && `From ${range}.`, initial && `Default: ${initial}.`].filter(Boolean).join(' ');
}

/** @param {OptionDescription} description */
function rangeOf(description) {
  if (!('range' in description)) return '';
  const [min, max] = description.range;
  return `${min} to ${max === 2 ** 32 - 1 ? '2^32 - 1' : max}`;
}

/** @param {OptionDescription} description */
function defaultOf({ defaultLabel, ...description }) {
  if (defaultLabel !== undefined) return defaultLabel;
  if (description.kind === 'stage') {
    const { steps, guidanceScale } = tables.optionsOfStage(description);
    const scale = description.hasGuidance ? `; guidance scale: ${guidanceScale.defaultLabel}` : '';
    return `steps: ${steps.defaultLabel}${scale}`;
  }
  return 'default' in description && description.default !== undefined
    ? `\`${description.default}\``
    : '';
}

/** @param {OptionDescription} description */
function typeOf(description) {
  switch (description.kind) {
    case 'choice':
      return description.choices.map((choice) => `'${choice}'`).join(' | ');
    case 'boolean':
      return 'boolean';
    case 'seeds':
      return 'number | readonly number[]';
    case 'interval':
      return 'readonly [number, number]';
    case 'stage':
      if (!description.hasGuidance) return 'UnguidedStageOptions';
      return description.own === undefined ? 'StageOptions' : 'PriorOptions';
    case 'signal':
      return 'AbortSignal';
    case 'text':
    case 'respacing':
    case 'device':
      return 'string';
    default:
      return 'number';
  }
}

/** @param {OptionDescription} description */
function recordedTypeOf(description) {
  if (description.kind === 'stage') return 'RecordedStage';
  return description.kind === 'seeds' ? 'number' : typeOf(description);
}

/**
 * docs/reference/options.md with its tables, each between a comment with the name of the table or of a method and
 * `<!-- end -->`.
 * @param {string} page
 */
function withTables(page) {
  return page.replace(
    /(<!-- options: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start, name, end) => `${start}\n${contentOf(name)}\n\n${end}`,
  );
}

/** @param {string} name */
function contentOf(name) {
  if (name === 'presets') return presetTable();
  const methods = /** @type {Record<string, OptionTable>} */ (methodTables);
  if (methods[name]) return methodOptionsOf(methods[name], !withoutCommand.includes(name));
  const table = /** @type {Record<string, OptionTable>} */ (/** @type {unknown} */ (tables))[name];
  if (table === undefined) throw new Error(`docs/reference/options.md: there is no table ${name}`);
  return optionTable(table, stagePrefixes[name] ?? '--');
}

/**
 * The options that only some methods have as a table, and the names of those that the page describes before.
 * @param {OptionTable} table
 * @param {boolean} hasFlags
 */
function methodOptionsOf(table, hasFlags) {
  const { generationOptions, textToImageOptions, imageVariationOptions } = tables;
  /** @type {OptionTable} */
  const described = { ...generationOptions, ...textToImageOptions, ...imageVariationOptions };
  const isDescribed = (/** @type {string} */ option) =>
    JSON.stringify(described[option]) === JSON.stringify(table[option]);
  const names = Object.keys(table).filter(isDescribed);
  const own = Object.fromEntries(Object.entries(table).filter(([option]) => !isDescribed(option)));
  const list = names.map((name) => `\`${name}\``).join(', ');
  if (Object.keys(own).length === 0) return `Options, as for [generation](#generation): ${list}.`;
  const rows = optionTable(own, hasFlags ? '--' : undefined);
  return `${rows}\n\nFurther options, as for [generation](#generation): ${list}.`;
}

/**
 * @param {OptionTable} table
 * @param {string | undefined} prefix of flags; undefined if there are none
 */
function optionTable(table, prefix) {
  const rows = Object.entries(table).map(([option, description]) => [
    `\`${option}\``,
    flagColumn(option, description, prefix),
    valueColumn(description),
    defaultOf(description),
    prose(description),
  ]);
  const head = ['option', 'command line', 'value', 'default', 'meaning'];
  return tableOf(head, rows);
}

/** What the presets set. */
function presetTable() {
  const { generationOptions, textToImageOptions } = tables;
  const all = { ...textToImageOptions, ...generationOptions };
  const stages = tables.STAGES.map((name) => all[name]);
  const rows = generationOptions.sampling.choices.map((sampling) => [
    `\`${sampling}\``,
    ...stages.map((stage) => presetText(stage, sampling)),
  ]);
  return tableOf(['preset', ...stages.map(({ label }) => label)], rows);
}

/**
 * @param {import('../lib/options/descriptions.js').StageOption} stage
 * @param {import('../lib/options/descriptions.js').Sampling} sampling
 */
function presetText({ presets, guidanceScale, hasGuidance }, sampling) {
  const { steps, sampler, guidanceInterval, guidanceRescale } = presets[sampling];
  const interval = guidanceInterval ? ` from ${guidanceInterval.join(' to ')}` : '';
  return [
    `${steps} steps`,
    ...(sampler ? [`sampler \`${sampler}\``] : []),
    ...(hasGuidance ? [`guidance scale ${guidanceScale}${interval}`] : []),
    ...(guidanceRescale ? [`rescaled by ${guidanceRescale}`] : []),
  ].join(', ');
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function tableOf(head, rows) {
  const line = (/** @type {string[]} */ cells) =>
    `|${cells.map((text) => (text === '' ? ' ' : ` ${text} `)).join('|')}|`;
  return [head, head.map(() => '---'), ...rows].map(line).join('\n');
}

/**
 * @param {string} option
 * @param {OptionDescription} description
 * @param {string | undefined} prefix of flags; undefined if there are none
 */
function flagColumn(option, description, prefix) {
  if (prefix === undefined) return '';
  if (description.kind === 'stage') return `\`--${option}-…\``;
  const [found] = flagsOf({ [option]: description });
  return found
    ? found.flag
        .split(', ')
        .map((flag) => `\`${flag.replace(/^--/, prefix)}\``)
        .join(', ')
    : '';
}

/** @param {OptionDescription} description */
function valueColumn(description) {
  switch (description.kind) {
    case 'choice':
      return description.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'seeds':
      return `${rangeOf(description)}, or an array of these`;
    case 'stage':
      return '[stage options](#stages)';
    case 'interval':
      return `two numbers, ${rangeOf(description)}`;
    case 'bytes':
      return 'bytes';
    case 'signal':
      return '`AbortSignal`';
    case 'callback':
      return 'function';
    case 'check':
      return description.loads
        ? 'name, folder, `SafetyChecker` or function'
        : '`SafetyChecker` or function';
    default:
      return rangeOf(description) || typeOf(description);
  }
}
