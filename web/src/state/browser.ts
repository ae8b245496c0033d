import { useEffect, useMemo, useState } from 'react';

/** An object URL of a blob, valid while the component is mounted. */
export function useObjectUrl(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (blob === undefined) return setUrl(undefined);
    const created = URL.createObjectURL(blob);
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [blob]);
  return url;
}

/** Scrolls an element into view; on a phone, where the form is above the gallery, to its start. */
export function reveal(selector: string): void {
  scrollIntoView(selector, matchMedia('(max-width: 900px)').matches ? 'start' : 'nearest');
}

/** Scrolls an element into view, by default no further than necessary. */
export function scrollIntoView(selector: string, block: ScrollLogicalPosition = 'nearest'): void {
  document.querySelector(selector)?.scrollIntoView({ block });
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Copies text to the clipboard. Without TLS, browsers have no `navigator.clipboard`, and they may deny
 * access to it.
 * @returns whether it was copied
 */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromTextArea(text);
  }
}

function copyFromTextArea(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

/**
 * Copies an image to the clipboard, as PNG, which all browsers accept.
 * @returns whether it was copied
 */
export async function copyImage(image: Blob): Promise<boolean> {
  try {
    await navigator.clipboard.write([new ClipboardItem({ [image.type]: image })]);
    return true;
  } catch {
    return false;
  }
}

/** Downloads several files in one archive. */
export async function downloadZip(
  files: readonly { name: string; input: Blob; lastModified: Date }[],
): Promise<void> {
  const { downloadZip: toZip } = await import('client-zip');
  download(await toZip(withUniqueNames(files)).blob(), 'karlo.zip');
}

/** Adds a number to each name that is not the first of its kind: `karlo-42 (2).png`. */
function withUniqueNames<T extends { name: string }>(files: readonly T[]): T[] {
  const counts = new Map<string, number>();
  return files.map((file) => {
    const count = (counts.get(file.name) ?? 0) + 1;
    counts.set(file.name, count);
    return count === 1 ? file : { ...file, name: file.name.replace(/(?=\.\w+$)/, ` (${count})`) };
  });
}

/** A blob as a `data:` URL. */
export function toDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** The name of a downloaded file: `karlo-a-red-heart-42.png`. */
export function fileName(title: string, numbers: readonly number[], type: string): string {
  const words = title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 40);
  const slug = words.replace(/^-|-$/g, '');
  const extension = type.replace('image/', '');
  return `${['karlo', slug, ...numbers].filter((part) => part !== '').join('-')}.${extension}`;
}

const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
const storageKey = 'karlo-theme';

/** The colour theme, and a function that selects the next one. */
export function useTheme(): [Theme, () => void] {
  const stored = useMemo(
    () => themes.find((theme) => theme === localStorage.getItem(storageKey)),
    [],
  );
  const [theme, setTheme] = useState<Theme>(stored ?? 'system');
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(storageKey, theme);
  }, [theme]);
  const selectNext = () =>
    setTheme(themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system');
  return [theme, selectNext];
}
