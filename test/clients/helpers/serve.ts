import { karlo, urlOf } from '../../serve/helpers/processes.js';

/** Starts the server of docs/guide/clients.md. It ends with the test file. */
export async function serve(): Promise<string> {
  return urlOf(await karlo(['serve', '--port', '0', '--compat', 'openai', 'a1111']));
}
