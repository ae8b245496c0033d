import { invalidArgument } from '../errors.js';

/**
 * Checks the URL of a server in an environment variable.
 * @returns the URL without a trailing slash
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkEndpoint(value: string, variable: string, example: string): string {
  const endpoint = value.trim().replace(/\/+$/, '');
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  throw invalidArgument(
    `Expected an address such as ${example} for ${variable} but received '${value}'`,
  );
}
