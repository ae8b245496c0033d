// node scripts/docs/api.mjs: writes the API reference, and fails if a public name has no comment, a link is dead, or a type in
// the public API is not exported. TypeDoc writes one page for each subject, from the comments in lib/. The exports of the package
// are assigned to subjects by the files that they come from.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';
import { unlessFresh } from '../build/stamp.mjs';

/** The pages by the paths of the files in lib/ that they describe; the first that fits. @type {[RegExp, string][]} */
const subjects = [
  [/^(?:karlo|shared-instance)\./, 'karlo'],
  [/^errors\./, 'errors'],
  [/^(?:options|safety\/options\.)/, 'options'],
  [/^safety\//, 'safety'],
  [/^images\/(?:draft|read-draft)/, 'drafts'],
  [/^images\/(?:recipe|read-recipe|verdict)/, 'recipes'],
  [/^images\//, 'images'],
  [/^(?:embeddings|pipeline\/calls\/(?:interpolate|mix|points))/, 'clip-space'],
  [/^(?:pipeline|networks)\//, 'generation'],
];

/** Modules that have a page for themselves. */
const modules = ['torch', 'eval', 'ai-sdk'];

/** The exports whose names are declared in index.ts itself. */
const declaredInIndex = 'images';

const docs = join(root, 'docs');
const entries = join(docs, '.vitepress', 'subjects');
const out = join(docs, 'reference', 'api');

/**
 * Writes docs/reference/api/, unless nothing has changed since.
 * @throws {Error} for public names without a comment, dead links, and types that are not exported
 */
export async function writeApi() {
  const inputs = ['lib', 'docs/typedoc.json', 'scripts/docs/api.mjs', 'package-lock.json'];
  const paths = inputs.map((input) => join(root, input));
  await unlessFresh(join(out, '.stamp'), paths, () => {
    for (const folder of [entries, out]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(entries, { recursive: true });
    for (const [name, text] of entryPoints()) writeFileSync(join(entries, `${name}.ts`), text);
    const problems = runTypeDoc();
    if (problems.length > 0) throw new Error(problems.join('\n'));
  });
}

/** @returns {string[]} what is wrong */
function runTypeDoc() {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc], {
    cwd: docs,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  // Ignored: fields of an anonymous type, which the property's comment explains, and members named by a
  // symbol, which the language specification explains.
  const explained =
    /(?:\.__type\.|\.\[\w+\] \().* does not have any documentation|Found 0 errors and \d+ warnings/;
  const problems = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.trim() !== '' && !explained.test(line));
  return status === 0 ? problems : [...problems, `TypeDoc ended with status ${status}`];
}

/** A module for each page, which exports what the page describes. @returns {Map<string, string>} */
function entryPoints() {
  const index = readFileSync(join(root, 'lib', 'index.ts'), 'utf8');
  /** @type {Map<string, string>} */
  const texts = new Map();
  const add = (/** @type {string} */ name, /** @type {string} */ line) =>
    texts.set(name, `${texts.get(name) ?? ''}${line}\n`);
  for (const [statement, path = ''] of index.matchAll(/^export [^;]*? from '\.\/(.+?)';$/gms)) {
    const subject = subjects.find(([pattern]) => pattern.test(path))?.[1];
    if (subject === undefined) throw new Error(`scripts/docs/api.mjs: no subject has lib/${path}`);
    add(subject, statement.replace(`'./${path}'`, `'../../../lib/${path}'`));
  }
  for (const [, name = ''] of index.matchAll(/^export (?:type|const) (\w+) =/gm)) {
    add(declaredInIndex, `export type { ${name} } from '../../../lib/index.js';`);
  }
  for (const name of modules) add(name, `export * from '../../../lib/${name}/index.js';`);
  return texts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await report(writeApi);
