// Edits that the reader sees at once and the server hears of in order. Each waits here until the server has answered:
// a lost line keeps it, a refusal takes it back and says why, a clash shows what the other person wrote.
import type { Task, TaskSet } from './types';

/** What one edit does to one task. */
export interface Part {
  task: string;
  /** The version that the person saw when editing. */
  version: number;
  set: TaskSet;
  /** What the fields held before, to undo and to tell a real clash. */
  before: TaskSet;
}

/** One act of a person: a cell, or all the cells of a paste. */
export interface Edit {
  id: number;
  parts: Part[];
}

export type Sent =
  | { kind: 'done'; tasks: Task[] }
  /** Somebody changed the same field meanwhile. */
  | { kind: 'clash'; current: Task }
  | { kind: 'refused'; reason: unknown }
  /** The server could not be reached: try again later. */
  | { kind: 'offline' };

export interface EditsHost {
  send: (parts: Part[]) => Promise<Sent>;
  /** Something to draw changed. */
  changed: () => void;
  saved: (tasks: Task[]) => void;
  clash: (edit: Edit, current: Task) => void;
  refused: (edit: Edit, reason: unknown) => void;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Lays set fields over a task, custom ones among the others. */
export function laid(task: Task, set: TaskSet): Task {
  let fields = task.fields;
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(set)) {
    if (name === 'fields') fields = { ...fields, ...(value as Task['fields']) };
    else plain[name] = value;
  }
  return { ...task, ...plain, fields } as Task;
}

/** What a task holds now in the fields that `set` would write. */
export function heldBefore(task: Task, set: TaskSet): TaskSet {
  const before: TaskSet = {};
  for (const [name, value] of Object.entries(set)) {
    if (name === 'fields') {
      const names = Object.keys(value as object);
      before.fields = Object.fromEntries(names.map((field) => [field, task.fields[field] ?? null]));
    } else before[name] = (task as unknown as Record<string, unknown>)[name] ?? null;
  }
  return before;
}

/** Whether a task holds just what `set` says. */
export const holds = (task: Task, set: TaskSet) => same(heldBefore(task, set), set);

export const partOf = (task: Task, set: TaskSet): Part => ({ task: task.id, version: task.version, set, before: heldBefore(task, set) });

export class Edits {
  private queue: Edit[] = [];
  private next = 1;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private wait = 500;
  /** True from when the server could not be reached until all that waited has arrived. */
  offline = false;

  constructor(private readonly host: EditsHost) {}

  get waiting(): number {
    return this.queue.length;
  }

  /** A task as the reader should see it. */
  over(task: Task): Task {
    let seen = task;
    for (const edit of this.queue) for (const part of edit.parts) if (part.task === task.id) seen = laid(seen, part.set);
    return seen;
  }

  pending(task: string): boolean {
    return this.queue.some((edit) => edit.parts.some((part) => part.task === task));
  }

  add(parts: Part[]): void {
    if (parts.length === 0) return;
    this.queue.push({ id: this.next++, parts });
    this.host.changed();
    void this.pump();
  }

  /** Tries at once, for when the line is back. */
  wake(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.wait = 500;
    void this.pump();
  }

  private async pump(): Promise<void> {
    if (this.busy || this.timer) return;
    this.busy = true;
    try {
      while (this.queue.length > 0 && !this.timer) await this.sendFirst();
    } finally {
      this.busy = false;
    }
  }

  private async sendFirst(): Promise<void> {
    const edit = this.queue[0] as Edit;
    const sent = await this.host.send(edit.parts);
    if (sent.kind === 'offline') {
      this.offline = true;
      this.timer = setTimeout(() => {
        this.timer = null;
        void this.pump();
      }, this.wait);
      this.wait = Math.min(8000, this.wait * 2);
      this.host.changed();
      return;
    }
    this.wait = 500;
    this.queue.shift();
    // Until all that waited has arrived, the page still says that something is not saved.
    if (this.queue.length === 0) this.offline = false;
    if (sent.kind === 'done') {
      sent.tasks.forEach((task) => this.rebase(task));
      this.host.saved(sent.tasks);
    } else if (sent.kind === 'clash') this.clashed(edit, sent.current);
    else this.host.refused(edit, sent.reason);
    this.host.changed();
  }

  private clashed(edit: Edit, current: Task): void {
    const part = edit.parts.find((one) => one.task === current.id);
    this.host.saved([current]);
    // A repeat of an edit that had arrived although its answer was lost is no clash.
    if (part && holds(current, part.set)) this.rebase(current);
    else this.host.clash(edit, current);
  }

  /** Later edits of the same task were made on top of this one: they take its version where nobody else wrote the
   *  same field meanwhile. */
  private rebase(task: Task): void {
    let base = task;
    for (const edit of this.queue) {
      for (const part of edit.parts) {
        if (part.task !== task.id) continue;
        if (holds(base, part.before)) part.version = Math.max(part.version, task.version);
        base = laid(base, part.set);
      }
    }
  }
}
