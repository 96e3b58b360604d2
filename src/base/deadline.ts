/** What a promise resolves to, or rejects with; an error with this text when it does neither within `ms`. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, text: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(text)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why something was not waited for any longer: its time was over, or it was no longer wanted. */
export interface Cut {
  readonly kind: 'timeout' | 'called-off';
}

/** What a promise resolves to, or rejects with; why not when that takes longer than `ms`, or the signal comes first. */
export async function unlessCut<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | Cut> {
  const over = new AbortController();
  const cut = new Promise<Cut>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'timeout' }), ms);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    if (signal.aborted) resolve({ kind: 'called-off' });
    signal.addEventListener('abort', () => resolve({ kind: 'called-off' }), { signal: over.signal });
  });
  try {
    return await Promise.race([promise, cut]);
  } finally {
    over.abort();
  }
}
