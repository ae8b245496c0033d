// A bundle cannot include the addon and the models. Bundles that keep the package external are in test/install.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { runFile } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
/** Programs that need files of the package. */
const uses = {
  load: "import { Karlo } from 'karlo'; Karlo.load().catch(report);",
  'use images of':
    "import { readRecipe } from 'karlo'; readRecipe(Buffer.from('GIF89a')).catch(report);",
  'use tensors of':
    "import { version } from 'karlo/torch'; try { version(); } catch (e) { report(e); }",
};
const alias = {
  karlo: join(root, 'dist/lib/index.js'),
  'karlo/torch': join(root, 'dist/lib/torch/index.js'),
};

const cases = Object.entries(uses).flatMap(([use, program]) =>
  (['esm', 'cjs'] as const).map((format) => ({ use, program, format })),
);

test.each(cases)(
  'bundles to $format that $use the package are told to keep it external',
  async ({ use, program, format }) => {
    const name = `${use}-${format}`.replaceAll(' ', '-');
    const outfile = join(folder, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    const report = "function report({ code, message }) { console.log(code + ': ' + message); }";
    const entry = join(folder, `${name}.entry.mjs`);
    writeFileSync(entry, `${program}\n${report}`);
    buildSync({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format,
      minify: true,
      alias,
      external: ['sharp'],
      outfile,
      logLevel: 'silent',
    });
    const { stdout, stderr } = await runFile(outfile);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ERR_KARLO_ADDON_MISSING: .* a bundler has included its code/);
    for (const fix of ['--external:karlo', "externals: { karlo: 'commonjs karlo' }"])
      expect(stdout).toContain(fix);
  },
);
