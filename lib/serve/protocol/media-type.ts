import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.js';

/** The types of bodies. */
export const mediaTypes = { json: 'application/json', form: 'multipart/form-data' } as const;

/** What a route reads, and the header that says so. */
export const expectedType = {
  json: 'JSON, with the header Content-Type: application/json,',
  form: 'a form, with the header Content-Type: multipart/form-data; boundary=…,',
} as const;

/** 415 for a body of another type, or without one. */
export function wrongMediaType({ headers }: FastifyRequest, expected: string): ApiError {
  const type = headers['content-type']?.slice(0, 100) || 'no Content-Type';
  return unsupported(`Expected ${expected} but received ${type}`);
}

/** @throws {ApiError} 415 for a compressed body, which no route reads */
export function requirePlainBody({ headers }: FastifyRequest, reply: FastifyReply): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return;
  // RFC 9110, section 12.5.3: what the client may send instead.
  reply.header('accept-encoding', 'identity');
  const fix = 'Send it uncompressed, without the header Content-Encoding';
  throw unsupported(
    `Expected a plain body but received Content-Encoding: ${encoding.slice(0, 100)}. ${fix}`,
  );
}

function unsupported(message: string): ApiError {
  return new ApiError(415, 'unsupported_media_type', message);
}
