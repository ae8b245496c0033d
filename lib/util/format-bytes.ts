/** Bytes in a readable unit: `12.4 GB`, `350 MB`, `1.2 KB`. */
export function formatBytes(bytes: number): string {
  const [unit, name] = bytes >= 1e9 ? [1e9, 'GB'] : bytes >= 1e6 ? [1e6, 'MB'] : [1e3, 'KB'];
  const count = bytes / unit;
  return `${count.toFixed(count >= 100 ? 0 : 1)} ${name}`;
}
