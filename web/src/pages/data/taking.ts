// A file on its way from the server: what has come, how fast, and when it was whole. A connection that breaks off leaves
// no file: a part must not be taken for the whole.
import { ProblemError, raw } from '@/api/client';

export interface Progress { bytes: number; rows: number; started: number; now: number }
export type Format = 'csv' | 'jsonl';

/** Counts whole rows as bytes come: lines, except those within quotes. The first line of CSV is its head. */
export class RowCount {
  private quoted = false;
  private lines = 0;
  private readonly format: Format;
  constructor(format: Format) {
    this.format = format;
  }
  take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === 34 && this.format === 'csv') this.quoted = !this.quoted;
      else if (byte === 10 && !this.quoted) this.lines += 1;
    }
  }
  get rows(): number {
    return Math.max(0, this.lines - (this.format === 'csv' ? 1 : 0));
  }
}

/** Chunks are handed to the browser in pieces of this size, so that it may keep them on disk. */
const PIECE = 8 << 20;

/** Takes a file. `tell` hears how far it is, at most some times a second. */
export async function take(body: Record<string, unknown>, format: Format, signal: AbortSignal, tell: (p: Progress) => void): Promise<{ parts: Blob[]; progress: Progress; name: string }> {
  const answer = await raw('/api/v1/data/export', { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' }, signal });
  const reader = answer.body?.getReader();
  const count = new RowCount(format);
  const parts: Blob[] = [];
  let chunks: BlobPart[] = [];
  let waiting = 0;
  const progress: Progress = { bytes: 0, rows: 0, started: Date.now(), now: Date.now() };
  const flush = () => { if (chunks.length) { parts.push(new Blob(chunks)); chunks = []; waiting = 0; } };
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done || !value) break;
      count.take(value);
      chunks.push(value);
      waiting += value.byteLength;
      if (waiting >= PIECE) flush();
      Object.assign(progress, { bytes: progress.bytes + value.byteLength, rows: count.rows });
      if (Date.now() - progress.now > 150) { progress.now = Date.now(); tell({ ...progress }); }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    // The server ends a connection before its end when the right to the data ends, or the store fails.
    throw new ProblemError({ title: '', status: 0, code: 'broken_off' });
  }
  flush();
  progress.now = Date.now();
  const name = answer.headers.get('content-disposition')?.match(/filename="([^"]+)"/)?.[1] ?? `export.${format}`;
  return { parts, progress: { ...progress }, name };
}
