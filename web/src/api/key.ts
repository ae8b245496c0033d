const storageKey = 'karlo-key';

/** The API key, kept until the tab is closed; empty if none has been entered. */
export function currentKey(): string {
  return sessionStorage.getItem(storageKey) ?? '';
}

export function setKey(key: string): void {
  sessionStorage.setItem(storageKey, key.trim());
}
