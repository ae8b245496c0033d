// `karlo setup --build` compiles with tools that the package does not depend on. This builds a small addon in place of the
// package's own, which takes minutes.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

const cmake = `
cmake_minimum_required(VERSION 3.18)
project(small LANGUAGES CXX)
add_library(karlo MODULE native/small.cc)
target_include_directories(karlo PRIVATE \${CMAKE_JS_INC})
set_target_properties(karlo PROPERTIES PREFIX "" SUFFIX ".node")
`;
const source = `
#include <napi.h>
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("answer", 42);
  return exports;
}
NODE_API_MODULE(small, Init)
`;
const program = `
import { buildInstalledAddon } from './node_modules/karlo/dist/lib/libtorch/build-addon.js';
import { createRequire } from 'node:module';
await buildInstalledAddon('small', { folder: '', includeDir: '' }, () => {});
console.log(createRequire(import.meta.url)('./small/build/Release/karlo.node').answer);
`;

test('an installed package fetches its build tools', async () => {
  const project = new Project(projectsFolder(), 'project', { type: 'module' });
  await project.npmInstall([tarballs.karlo]);
  mkdirSync(`${project.folder}/small/native`, { recursive: true });
  project.write('small/CMakeLists.txt', cmake);
  project.write('small/native/small.cc', source);
  project.write('small/package.json', '{ "binary": { "napi_versions": [8] } }');
  project.write('build.mjs', program);
  const env = { PATH: process.env.PATH };
  const { stdout } = expectSuccess(await project.node(['build.mjs'], { env }));
  expect(stdout).toBe('42\n');
});
