import { useEffect, useMemo, useState } from 'react';

/** An address of a picture's bytes, valid while the component is there. */
export function useObjectUrl(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (blob === undefined) return setUrl(undefined);
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

/** Scrolls to what is out of sight. On a phone, the form and the wall lie one under the other. */
export function reveal(selector: string): void {
  intoView(selector, matchMedia('(max-width: 900px)').matches ? 'start' : 'nearest');
}

/** Scrolls no further than it must. */
export function intoView(selector: string, block: ScrollLogicalPosition = 'nearest'): void {
  document.querySelector(selector)?.scrollIntoView({ block });
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copies text, also where a page without TLS has no `navigator.clipboard`. */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function fileName(prompt: string, seed: number, type: string): string {
  const words = prompt
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 40);
  const slug = words.replace(/^-|-$/g, '');
  return `${['karlo', slug, seed].filter((part) => part !== '').join('-')}.${type.replace('image/', '')}`;
}

export type Theme = 'system' | 'light' | 'dark';
const themes = ['system', 'light', 'dark'] as const;
const name = 'karlo-theme';

/** The colours: the system's, or the user's own choice. */
export function useTheme(): [Theme, () => void] {
  const kept = useMemo(() => themes.find((theme) => theme === localStorage.getItem(name)), []);
  const [theme, setTheme] = useState<Theme>(kept ?? 'system');
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(name, theme);
  }, [theme]);
  const turn = () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system');
  return [theme, turn];
}
