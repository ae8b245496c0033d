import { same, type Transform } from '../../networks/view-steps.js';

/**
 * A row of a key map: canonical name, source name, and how the one lies in the other.
 * `{p}` stands for `weight` or `bias`, `{i}` for a number.
 */
export type KeyRow = readonly [to: string, from: string, transform?: Transform];

export interface SourceKey {
  key: string;
  transform: Transform;
}

/** Looks a canonical name up; undefined where no row fits. */
export type KeyTable = (name: string) => SourceKey | undefined;

/** Compiles rows to a lookup. */
export function keyTable(rows: readonly KeyRow[]): KeyTable {
  const compiled = rows.map(([to, from, transform = same]) => ({
    pattern: compilePattern(to),
    from,
    transform,
  }));
  return (name) => {
    for (const { pattern, from, transform } of compiled) {
      const groups = pattern.exec(name)?.groups;
      if (groups) return { key: fill(from, groups), transform };
    }
    return undefined;
  };
}

/** A template as a pattern with a group for each placeholder; `_` is always matched. */
export function compilePattern(template: string): RegExp {
  const source = template
    .replace(/\./g, '\\.')
    .replace(/\{p\}/g, '(?<p>weight|bias)')
    .replace(/\{(\w)\}/g, '(?<$1>\\d+)');
  return new RegExp(`^(?<_>)${source}$`);
}

function fill(template: string, groups: Record<string, string>): string {
  return template.replace(/\{(\w)\}/g, (_, name: string) => groups[name] ?? '');
}
