import { environmentVariables, variableGroups } from '../../dist/lib/options/descriptions.js';
import { code, page, table } from './markdown.mjs';

/** The reference of environment variables, from lib/options/tables/environment.ts. */
export function environmentPage() {
  const sections = Object.entries(variableGroups).map(([group, title]) => {
    const rows = Object.entries(environmentVariables)
      .filter(([, variable]) => variable.group === group)
      .map(([name, { description, defaultLabel }]) => [code(name), description, defaultLabel]);
    return page(`## ${title}`, table(['variable', 'meaning', 'default'], rows)).trimEnd();
  });
  return page(
    '# Environment variables',
    'Every variable that the package reads. An option or a flag takes precedence over a variable.',
    ...sections,
  );
}
