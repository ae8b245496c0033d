import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

const parent = projectsFolder();
const types = '@types/node@20.19.43';
const onCpu = ['--device', 'cpu', '--dtype', 'float32'];
let project: Project;

beforeAll(async () => {
  project = new Project(parent, 'project', { type: 'module' });
  const next = `karlo-next@file:${nextVersion()}`;
  await project.npmInstall([tarballs.karlo, tarballs.libtorch, next, types]);
});

/** Packs the package again, under another version. */
function nextVersion(): string {
  const folder = join(parent, 'next');
  execFileSync('mkdir', [folder]);
  execFileSync('tar', ['-xzf', tarballs.karlo, '-C', folder]);
  const manifest = join(folder, 'package', 'package.json');
  const next = JSON.parse(readFileSync(manifest, 'utf8'));
  writeFileSync(manifest, JSON.stringify({ ...next, version: '99.0.0' }));
  execFileSync('tar', ['-czf', join(parent, 'next.tgz'), '-C', folder, 'package']);
  return join(parent, 'next.tgz');
}

test('works with import', () => project.generates(['import.mjs']));

test('works with require, and uses LibTorch from the npm package', async () => {
  const { stdout } = await project.generates(['require.cjs']);
  const folder = join(project.folder, 'node_modules/@karlo/libtorch-linux-x64');
  expect(JSON.parse(stdout)).toMatchObject({ libtorch: '2.11.0', source: 'package', folder });
});

test('generates with the command line', () => {
  const prompt = ['a red heart on a white background', '--seed', '0'];
  return project.generates(['node_modules/.bin/karlo', ...prompt, ...onCpu, '-o']);
});

test('runs the example of the README', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, name = '', program = ''] =
    /## In a program\n\nSave this as `(.*?)`.*?```js\n(.*?)```/s.exec(readme) ?? [];
  project.write(name, program);
  expectSuccess(await project.node([name]));
  // With the defaults, which mean bfloat16 on some machines. In the reference's image, 0.17 of the pixels are red.
  expect(await shareOfRed(join(project.folder, 'heart.png'))).toBeGreaterThan(0.08);
  for (const i of [0, 1, 2, 3]) {
    expect(existsSync(join(project.folder, `variation-${i}.png`))).toBe(true);
  }
});

async function shareOfRed(image: string): Promise<number> {
  const { data, info } = await sharp(image)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([128, 128]);
  const [red, green, blue] = [0, 1, 2].map((channel) => data.filter((_, i) => i % 3 === channel));
  const isRed = (value: number, i: number) =>
    value - Math.max(green?.[i] ?? 0, blue?.[i] ?? 0) > 80;
  return (red?.filter(isRed).length ?? 0) / (128 * 128);
}

test('installs few packages, and none of a server', () => {
  const { packages } = JSON.parse(readFileSync(join(project.folder, 'package-lock.json'), 'utf8'));
  const count = Object.keys(packages).filter(
    (path) => path.startsWith('node_modules/') && existsSync(join(project.folder, path)),
  ).length;
  // With the three that are installed for other tests: another version, and types.
  expect(count).toBeLessThan(40);
  expect(Object.keys(packages)).not.toContain('node_modules/fastify');
});

test('names the package that a server needs', async () => {
  const { status, stderr } = await project.node(['node_modules/.bin/karlo', 'serve']);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^ERR_KARLO_PACKAGE_MISSING: Expected the packages that the server requires but \S+ is not installed\. Install them: npm install karlo-serve@\d/,
  );
});

test.each([
  ['karlo serve', ['karlo', 'serve']],
  ['karlo-serve', ['karlo-serve']],
])(
  '%s serves the page and the API, with the package karlo-serve',
  async (_name, [bin, ...args]) => {
    await project.npmInstall([tarballs.karlo, tarballs.libtorch, tarballs.serve]);
    await project.serves([`node_modules/.bin/${bin}`, ...args]);
  },
);

test('karlo-mcp is karlo mcp, with the package karlo-serve', async () => {
  await project.npmInstall([tarballs.karlo, tarballs.libtorch, tarballs.serve]);
  const { status, stdout } = await project.node(['node_modules/.bin/karlo-mcp', '--help']);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^Usage: karlo mcp /),
  });
});

test('an SBOM lists the installed packages with their hashes', async () => {
  const { stdout } = await project.npm(['sbom', '--sbom-format', 'cyclonedx']);
  const { components } = JSON.parse(stdout) as {
    components: { name: string; version: string; hashes?: { alg: string }[] }[];
  };
  const unhashed = components.filter(({ hashes }) => hashes?.[0]?.alg !== 'SHA-512');
  expect(unhashed).toEqual([]);
  for (const name of ['karlo', '@karlo/libtorch-linux-x64', 'sharp']) {
    expect(components.map((component) => component.name)).toContain(name);
  }
});

test('works in a worker thread', () => project.generates(['worker.mjs']));

test('works next to another version in one process', () => project.generates(['two-versions.mjs']));

describe('strict TypeScript that also checks the package’s declarations compiles', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const compile = (options: object) => {
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ['node'],
      ...options,
    };
    project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    return project.node([tsc]);
  };

  test('with node16 resolution', async () => {
    const result = await compile({ module: 'node16', moduleResolution: 'node16' });
    expect(result.stdout).toBe('');
    expectSuccess(result);
    await project.generates(['consumer.js']);
  });

  test('with bundler resolution', async () => {
    const options = { module: 'esnext', moduleResolution: 'bundler', outDir: 'bundler' };
    const result = await compile(options);
    expect(result.stdout).toBe('');
    expectSuccess(result);
    await project.generates(['bundler/consumer.js']);
  });
});

test.each(['esm', 'cjs'] as const)(
  'works in an esbuild bundle to %s that keeps the package external',
  async (format) => {
    const outfile = `bundle-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`;
    const entry = format === 'esm' ? 'import.mjs' : 'require.cjs';
    buildSync({
      absWorkingDir: project.folder,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      external: ['karlo', 'karlo/torch'],
      format,
      outfile,
    });
    await project.generates([outfile]);
  },
);

describe('a webpack bundle', () => {
  const bundle = async (externals: object) => {
    // Node.js prints the line that throws, and the message is lost if that does not fit into a pipe.
    const optimization = { minimize: false };
    const entry = './import.mjs';
    const options = { mode: 'production', target: 'node', entry, externals, optimization };
    project.write(
      'webpack.cjs',
      `const { resolve } = require('node:path');
      const output = { path: resolve('webpack'), filename: 'main.cjs' };
      require('webpack')({ ...${JSON.stringify(options)}, output }, (error, stats) => {
        if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
      });`,
    );
    await project.npmInstall(['webpack@5.113.0']);
    expectSuccess(await project.node(['webpack.cjs']));
  };

  test('that keeps the package external works', async () => {
    await bundle({ karlo: 'commonjs karlo' });
    await project.generates(['webpack/main.cjs']);
  });

  test('that includes the package is told to keep it external', async () => {
    await bundle({});
    const { status, stderr } = await project.node(['webpack/main.cjs', 'out/none.png']);
    expect(status).toBe(1);
    expect(stderr).toContain("externals: { karlo: 'commonjs karlo' }");
  });
});

test('works with a read-only node_modules and an unprivileged user, and writes nothing there', async () => {
  const before = listing();
  execFileSync('chmod', ['-R', 'a-w,a+rX', join(project.folder, 'node_modules')]);
  chmodSync(parent, 0o755);
  chmodSync(join(project.folder, 'out'), 0o777);
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
  try {
    await project.generates(['import.mjs'], {
      ...nobody,
      env: { HOME: '/nonexistent' },
    });
  } finally {
    execFileSync('chmod', ['-R', 'u+w', join(project.folder, 'node_modules')]);
  }
  expect(listing()).toEqual(before);
});

const listing = () => readdirSync(join(project.folder, 'node_modules'), { recursive: true }).sort();
