/** Keeps drawings in the browser's database, by draft. */
import type { DraftMemory } from "../graph/draftMemory";

const DATABASE = "imageloom";
const DRAWINGS = "drawings";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(DRAWINGS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function use<T>(
  mode: IDBTransactionMode,
  work: (drawings: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(DRAWINGS, mode);
      const request = work(transaction.objectStore(DRAWINGS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** Returns what was kept, or null; also where the browser keeps nothing, as in some private windows. */
export async function remembered(draft: string): Promise<DraftMemory | null> {
  try {
    return (await use<DraftMemory | undefined>("readonly", (all) => all.get(draft))) ?? null;
  } catch {
    return null;
  }
}

/** Keeps a drawing; says whether it could. */
export async function remember(memory: DraftMemory): Promise<boolean> {
  try {
    await use("readwrite", (all) => all.put(memory, memory.draft));
    return true;
  } catch {
    return false;
  }
}

export async function forget(draft: string): Promise<void> {
  try {
    await use("readwrite", (all) => all.delete(draft));
  } catch {
    // Nothing was kept, then.
  }
}
