// The types in a program that has AI SDK 6. test/ai-sdk/types.ts is compiled with AI SDK 7.
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';

const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const paths = { ai: [join(root, 'node_modules/ai-6/dist/index.d.ts')] };

/** The errors of a program in this folder. */
function errorsIn(source: string): string[] {
  const file = join(root, 'test/ai-sdk/program.ts');
  const settings = { ...options, paths, noEmit: true };
  const host = ts.createCompilerHost(settings);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, language)
      : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([file], settings, host);
  const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(file));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('AI SDK 6 accepts models of v3, and not of v4', () => {
  const lines = [
    "import { createProviderRegistry, generateImage } from 'ai';",
    "import { createKarlo, karlo } from '../../lib/ai-sdk/index.js';",
    "const server = createKarlo({ baseURL: 'http://127.0.0.1:8080/v1' });",
    "await generateImage({ model: karlo.image('karlo-tiny'), prompt: 'a', seed: 7 });",
    "createProviderRegistry({ karlo, server }).imageModel('karlo:karlo-tiny').modelId;",
    "createKarlo({ specificationVersion: 'v4' }).image('karlo-tiny').modelId;",
  ];
  expect(errorsIn(lines.join('\n'))).toEqual([
    "Property 'modelId' does not exist on type 'never'.",
  ]);
});
