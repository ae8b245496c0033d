import { expect } from 'vitest';
import { codeOf, summary } from './examples.js';

/** The settings of a program, with the address of the server in place of the container's. */
export function settingsOf(section: string, url: string): Record<string, string> {
  const lines = codeOf(section, 'ini').matchAll(/^(\w+)=(.*)$/gm);
  const here = (value: string) => value.replace('http://host.docker.internal:8080', url);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, here(value)]));
}

export type Json = Record<string, unknown> & {
  data: { url?: string; b64_json?: string }[];
  images: string[];
};

export async function send(
  address: string,
  body: object | FormData,
  headers: Record<string, string> = {},
) {
  const form = body instanceof FormData;
  const response = await fetch(address, {
    method: 'POST',
    headers: form ? headers : { 'content-type': 'application/json', ...headers },
    body: form ? body : JSON.stringify(body),
  });
  const json = await response.json();
  expect(json).not.toHaveProperty('error');
  return json as Json;
}

export const summaryOf = (base64 = '') => summary(Buffer.from(base64, 'base64'));
