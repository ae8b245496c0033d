import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutate } from '../fuzz/mutate.js';
import { Prng } from '../support/prng.js';
import { objectFor, type Schema } from './helpers/hostile-values.js';
import { errorOf, heart, short, start } from './helpers/server.js';

const seed = Number(process.env.KARLO_FUZZ_SEED ?? 8);
/** The number of hostile bodies: a third each of JSON values, mutated JSON and forms. */
const bodies = Number(process.env.KARLO_FUZZ_BODIES ?? 240);

const generations = '/v1/images/generations';
const variations = '/v1/images/variations';

interface Body {
  path: string;
  type: string;
  body: Buffer;
}

/** A valid request with few steps, some of whose fields are replaced. */
function hostileJson(schema: Schema, random: Prng): Buffer {
  const body = { prompt: 'a ring', ...short, ...objectFor(schema, random) };
  return Buffer.from(JSON.stringify(body));
}

const boundary = 'XXboundaryXX';

function hostileForm(schema: Schema, validImage: Buffer, random: Prng): Buffer {
  const { image = '', ...fields } = { decoder: { steps: 1 }, ...objectFor(schema, random) };
  const parts = Object.entries(fields).map(([name, value]) =>
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${JSON.stringify(value)}\r\n`,
    ),
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${JSON.stringify(image)}"\r\nContent-Type: image/png\r\n\r\n`;
  const file = random.below(2) ? validImage : mutate(validImage, validImage, random);
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  return Buffer.concat([...parts, Buffer.from(head), file, end]);
}

function hostileBody(schemas: Record<string, Schema>, i: number, random: Prng): Body {
  const json = () => hostileJson(schemas[generations] as Schema, random);
  if (i % 3 === 0) return { path: generations, type: 'application/json', body: json() };
  if (i % 3 === 1) {
    return { path: generations, type: 'application/json', body: mutate(json(), json(), random) };
  }
  const form = () => hostileForm(schemas[variations] as Schema, readFileSync(heart), random);
  const body = random.below(2) ? form() : mutate(form(), form(), random);
  return { path: variations, type: `multipart/form-data; boundary=${boundary}`, body };
}

const options = { timeout: 1000 * bodies };

test(`${bodies} hostile bodies cause no server error`, options, async () => {
  const server = await start({}, { concurrency: 4, capacity: 100 });
  const before = await (await server.post({ ...short, prompt: 'a ring', seed: 1 })).json();
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as never;
  const schemas = {
    [generations]: schemaOf(document, generations, 'application/json'),
    [variations]: schemaOf(document, variations, 'multipart/form-data'),
  };
  const random = new Prng(seed);
  const seen = new Map<number, number>();
  for (let i = 0; i < bodies; i += 1) {
    const { path, type, body } = hostileBody(schemas, i, random);
    const headers = { 'content-type': type };
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
    });
    const { status } = response;
    seen.set(status, (seen.get(status) ?? 0) + 1);
    const context = `seed ${seed}, body ${i}: ${body.subarray(0, 300).toString()}`;
    expect(status, context).toBeLessThan(500);
    if (status === 200) await response.arrayBuffer();
    else expect(await errorOf(response), context).toMatchObject({ message: expect.any(String) });
  }
  // Some of the bodies must have been valid, and many invalid.
  expect(seen.get(200)).toBeGreaterThan(bodies / 30);
  expect(seen.get(400)).toBeGreaterThan(bodies / 3);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  const after = await (await server.post({ ...short, prompt: 'a ring', seed: 1 })).json();
  expect((after as { data: unknown }).data).toEqual((before as { data: unknown }).data);
});

type Operation = { post: { requestBody: { content: Record<string, { schema: Schema }> } } };

function schemaOf(document: { paths: Record<string, Operation> }, path: string, type: string) {
  const schema = document.paths[path]?.post.requestBody.content[type]?.schema;
  if (schema?.properties === undefined) throw new Error(`No schema of ${path}`);
  return schema;
}
