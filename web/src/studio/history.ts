import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Run } from './runs';

interface Schema extends DBSchema {
  runs: { key: string; value: Run };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('karlo', 1, {
    upgrade: (db) => {
      db.createObjectStore('runs', { keyPath: 'id' });
    },
  });
  return opened;
}

/** Runs of earlier, newest first. Pictures never leave the browser. */
export async function loadRuns(): Promise<Run[]> {
  return (await (await database()).getAll('runs')).reverse();
}

export async function saveRun(run: Run): Promise<void> {
  await (await database()).put('runs', run);
}

export async function deleteRun(id: string): Promise<void> {
  await (await database()).delete('runs', id);
}

export async function clearRuns(): Promise<void> {
  await (await database()).clear('runs');
}
