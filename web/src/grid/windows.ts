// The server's rows by pages: fetched when they are about to show, kept for a while, fetched again when somebody
// changed something. Old rows stay on the screen until the new ones are here.
import { PAGE } from './page';
import type { Group, RowSource } from './types';

export interface Page<R> {
  total: number;
  groups: Group[] | null;
  rows: R[];
}

interface Held<R> {
  rows: R[];
  stale: boolean;
  used: number;
}

/** Pages kept beside those on the screen. */
const KEPT = 40;
/** Questions on their way at once. Whoever scrolls through all of it would else ask for each page passed, and wait for
 *  them all before the rows where the scrolling ended. */
const AT_ONCE = 3;

export class Windows<R> implements RowSource<R> {
  total = 0;
  groups: Group[] | null = null;
  /** True until the first page is here. */
  loading = true;
  problem: unknown = null;
  private pages = new Map<number, Held<R>>();
  private asked = new Map<number, Promise<void>>();
  private clock = 0;
  private span = { from: 0, to: PAGE };
  private down = true;
  private closed = false;
  private retry: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly fetchPage: (offset: number, limit: number) => Promise<Page<R>>,
    private readonly changed: () => void,
  ) {}

  row(offset: number): R | undefined {
    return this.pages.get(Math.floor(offset / PAGE))?.rows[offset % PAGE];
  }

  want(from: number, to: number): void {
    // Asked again for the same rows, it still goes the same way.
    if (from !== this.span.from) this.down = from > this.span.from;
    this.span = { from, to };
    const first = Math.floor(from / PAGE);
    const last = Math.floor(Math.max(from, to - 1) / PAGE);
    for (let page = first; page <= last; page += 1) this.need(page);
    // One page ahead the way the reader goes.
    const ahead = this.down ? last + 1 : first - 1;
    if (ahead >= 0 && ahead * PAGE < this.total) this.need(ahead);
  }

  /** Fetches the first page; resolves when there is something to show. */
  async start(): Promise<void> {
    await this.fetch(0);
  }

  /** Everything may have changed: fetch again what shows now, the rest when it is next wanted. */
  invalidate(): void {
    for (const held of this.pages.values()) held.stale = true;
    this.want(this.span.from, this.span.to);
  }

  /** Puts a newer form of rows where they are, without asking the server. */
  patch(change: (row: R) => R): void {
    let any = false;
    for (const held of this.pages.values()) {
      held.rows.forEach((row, index) => {
        const next = change(row);
        if (next !== row) {
          held.rows[index] = next;
          any = true;
        }
      });
    }
    if (any) this.changed();
  }

  async load(from: number, to: number): Promise<R[]> {
    const first = Math.floor(from / PAGE);
    const last = Math.floor(Math.max(from, to - 1) / PAGE);
    for (let page = first; page <= last; page += 1) if (!this.pages.has(page)) await this.fetch(page);
    const rows: R[] = [];
    for (let offset = from; offset < to; offset += 1) {
      const row = this.row(offset);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  close(): void {
    this.closed = true;
    if (this.retry) clearTimeout(this.retry);
  }

  private need(page: number): void {
    const held = this.pages.get(page);
    if (held) held.used = ++this.clock;
    if ((!held || held.stale) && this.asked.size < AT_ONCE) void this.fetch(page);
  }

  private fetch(page: number): Promise<void> {
    const present = this.asked.get(page);
    if (present) return present;
    // Marked fresh before asking, so that a change while the answer travels makes it stale again.
    const held = this.pages.get(page);
    if (held) held.stale = false;
    const promise = this.fetchPage(page * PAGE, PAGE)
      .then((answer) => this.take(page, answer))
      .catch((problem: unknown) => this.failed(page, problem))
      .finally(() => {
        this.asked.delete(page);
        if (!this.closed) {
          this.changed();
          // What shows by now may wait for its turn, or have become stale again meanwhile.
          if (!this.problem) this.want(this.span.from, this.span.to);
        }
      });
    this.asked.set(page, promise);
    return promise;
  }

  private take(page: number, answer: Page<R>): void {
    if (this.closed) return;
    const meanwhile = this.pages.get(page)?.stale ?? false;
    if (answer.total !== this.total) for (const [index, held] of this.pages) if (index !== page) held.stale = true;
    this.total = answer.total;
    this.groups = answer.groups;
    this.loading = false;
    this.problem = null;
    this.pages.set(page, { rows: answer.rows, stale: meanwhile, used: ++this.clock });
    if (this.pages.size > KEPT) this.drop();
  }

  private failed(page: number, problem: unknown): void {
    if (this.closed) return;
    this.problem = problem;
    const held = this.pages.get(page);
    if (held) held.stale = true;
    this.loading = false;
    // The line is down or the server restarts: ask again for what shows.
    this.retry ??= setTimeout(() => {
      this.retry = null;
      if (!this.closed) this.want(this.span.from, this.span.to);
    }, 2000);
  }

  private drop(): void {
    const oldest = [...this.pages].sort((a, b) => a[1].used - b[1].used)[0];
    if (oldest) this.pages.delete(oldest[0]);
  }
}
