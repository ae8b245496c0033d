// The declarations of the public API suit strict programs.
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';

const entries = ['index.ts', 'ai-sdk/index.ts', 'eval/index.ts', 'torch/index.ts'].map((file) =>
  join(root, 'lib', file),
);
const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** The errors of a program that imports the package. */
function errorsIn(source: string): string[] {
  const file = join(root, 'test', 'program.ts');
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, language)
      : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([file], { ...options, noEmit: true }, host);
  const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(file));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** The types that the entries export, and those that these extend. */
function publicDeclarations(program: ts.Program): ts.Declaration[] {
  const checker = program.getTypeChecker();
  const found = new Set<ts.Declaration>();
  const visit = (symbol: ts.Symbol | undefined): void => {
    const target =
      symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    for (const declaration of target?.declarations ?? []) {
      if (found.has(declaration)) continue;
      found.add(declaration);
      if (!ts.isInterfaceDeclaration(declaration)) continue;
      for (const { types } of declaration.heritageClauses ?? [])
        for (const { expression } of types) visit(checker.getSymbolAtLocation(expression));
    }
  };
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile);
    for (const symbol of checker.getExportsOfModule(module as ts.Symbol)) visit(symbol);
  }
  return [...found];
}

/** The optional properties of a declaration, in its members and in the types of its parameters. */
function optionalProperties(declaration: ts.Declaration): ts.PropertySignature[] {
  const found: ts.PropertySignature[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node)) return;
    if (ts.isPropertySignature(node) && node.questionToken) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

test('every optional property accepts undefined, for exactOptionalPropertyTypes', () => {
  const declarations = publicDeclarations(ts.createProgram(entries, options));
  const optional = declarations.flatMap(optionalProperties);
  expect(optional.length).toBeGreaterThan(30);
  const exact = optional.filter(
    ({ type }) => !/\b(undefined|unknown)$/.test(type?.getText() ?? ''),
  );
  expect(exact.map((property) => property.getText())).toEqual([]);
});

describe('a strict program', () => {
  const compiles = (...lines: string[]) => {
    const imports = [
      "import { Karlo, KarloImage, readRecipe } from '../lib/index.js';",
      "import { Generator, ScriptModule, Tensor } from '../lib/torch/index.js';",
      'declare const karlo: Karlo, image: KarloImage, module: ScriptModule, tensor: Tensor;',
      'void [Karlo, KarloImage, readRecipe, Generator, ScriptModule, Tensor, karlo, image, module, tensor];',
    ];
    expect(errorsIn([...imports, ...lines].join('\n'))).toEqual([]);
  };

  test('passes results to Response and Blob', () => {
    compiles(
      'new Response(await image.toBuffer());',
      'new Blob([image.data, await module.save(), new Generator(0).saveState()]);',
      'new Response(tensor.toTypedArray());',
    );
  });

  test('passes undefined for options', () => {
    compiles(
      'await Karlo.load({ model: undefined, onProgress: undefined, signal: undefined });',
      "karlo.textToImage('', { seed: undefined, prior: { steps: undefined } });",
      "await image.toBuffer('png', { quality: undefined });",
      "await image.toFile('a.png', { force: undefined, recipe: undefined });",
      "await ScriptModule.load('a.pt', { device: undefined, engine: undefined, dtype: undefined });",
      'tensor.to({ device: undefined, dtype: undefined });',
    );
  });

  test('passes bodies, buffers and arrays of images', () => {
    compiles(
      'declare const response: Response, file: File, blob: Blob, bytes: ArrayBuffer;',
      "karlo.imageVariation([response, file, blob, bytes, new URL('file:///a'), image]);",
      'await readRecipe(response);',
    );
  });
});
