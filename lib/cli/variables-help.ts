import { environmentVariables } from '../options/descriptions.js';

/** The section of a command's help about environment variables. */
export function variablesHelp(names: readonly (keyof typeof environmentVariables)[]): string {
  const width = Math.max(...names.map(({ length }) => length));
  const lines = names.map((name) => {
    const { description, defaultLabel } = environmentVariables[name];
    const text = `${description} (default: ${defaultLabel})`.replaceAll('`', '');
    return `  ${name.padEnd(width)}  ${text}`;
  });
  return ['Environment variables:', ...lines].join('\n');
}
