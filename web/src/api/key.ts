const name = 'karlo-key';

/** The API key, kept until the tab is closed. Empty where none was given. */
export function currentKey(): string {
  return sessionStorage.getItem(name) ?? '';
}

export function setKey(key: string): void {
  sessionStorage.setItem(name, key.trim());
}
