// What all the views of Work share: the newest form of each task that this browser has seen, the edits on their way,
// who is on which row, people and fields. A view asks for its own rows and draws them through `seen`.
import { createContext, useContext, useSyncExternalStore } from 'react';
import { ProblemError } from '@/api/client';
import { work } from './api';
import { Edits, heldBefore, holds, laid, partOf, type Edit, type Part, type Sent } from './edits';
import type { Field, Person, Task, TaskSet } from './types';

export interface Presence {
  person: string;
  name: string;
  task: string;
  field: string | null;
  at: number;
}

export interface Teller {
  clash: (task: Task, mine: TaskSet, again: () => void) => void;
  refused: (reason: unknown) => void;
  notUndone: () => void;
}

/** Tasks kept beside those in the views' own rows: whoever scrolls through a hundred thousand keeps the latest of them. */
const KEPT = 20_000;

/** Milliseconds between two questions of all views while changes keep coming. */
const BUSY = 800;

/** A place where somebody was last seen this long ago is empty again. */
const PRESENT = 90_000;

const away = (error: unknown) => error instanceof ProblemError && [0, 502, 503, 504].includes(error.problem.status);

export class WorkStore {
  tick = 0;
  /** Grows when the server's rows may have changed: views ask again. */
  pulse = 0;
  people = new Map<string, Person>();
  fields: Field[] = [];
  me = '';
  /** The server's count of changes that the newest rows answer for. */
  version = -1;
  readonly edits: Edits;
  tell: Teller = { clash: () => undefined, refused: () => undefined, notUndone: () => undefined };
  private newest = new Map<string, Task>();
  private here = new Map<string, Presence>();
  private listeners = new Set<() => void>();
  private undoable: Part[][] = [];
  private redoable: Part[][] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private pulsed = 0;

  constructor() {
    this.edits = new Edits({
      send: (parts) => this.send(parts),
      changed: () => this.draw(),
      saved: (tasks) => this.note(tasks),
      clash: (edit, current) => this.clash(edit, current),
      refused: (edit, reason) => {
        this.forget(edit.parts);
        this.tell.refused(reason);
        this.pulseSoon(0);
      },
    });
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  draw(): void {
    this.tick += 1;
    for (const listener of this.listeners) listener();
  }

  /** Keeps what the server said, unless something newer is known. */
  note(tasks: Task[]): void {
    for (const task of tasks) {
      const known = this.newest.get(task.id);
      if (!known || known.version <= task.version) {
        // Those seen last stand last.
        this.newest.delete(task.id);
        this.newest.set(task.id, task);
      }
    }
    for (const id of this.newest.keys()) {
      if (this.newest.size <= KEPT) break;
      if (!this.edits.pending(id)) this.newest.delete(id);
    }
  }

  known(id: string): Task | undefined {
    const task = this.newest.get(id);
    return task && this.edits.over(task);
  }

  /** Tasks that others say they are part of, as far as both are known. */
  wholes(): Task[] {
    const ids = new Set<string>();
    for (const task of this.newest.values()) if (task.parent) ids.add(task.parent);
    return [...ids].map((id) => this.newest.get(id)).filter((task) => task !== undefined).sort((a, b) => a.number - b.number);
  }

  /** How deep a task lies among the known ones. */
  depth(task: Task): number {
    let depth = 0;
    for (let above = task.parent; above !== null && depth < 4; depth += 1) above = this.newest.get(above)?.parent ?? null;
    return depth;
  }

  /** A task as the reader should see it: the newest that is known, with the edits on their way. */
  seen(task: Task): Task {
    const known = this.newest.get(task.id);
    // A bound task's status may change without a new version of its own: the row that came last says it best.
    const newest = known && known.version > task.version ? known : task;
    return this.edits.waiting > 0 ? this.edits.over(newest) : newest;
  }

  /** Somebody changed something: views ask again, once for many changes, and at leisure while changes keep coming. */
  pulseSoon(wait = 120): void {
    // One's own act does not wait behind the others'.
    if (this.timer && wait > 0) return;
    if (this.timer) clearTimeout(this.timer);
    const busy = wait > 0 && Date.now() - this.pulsed < BUSY;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.pulsed = Date.now();
      this.pulse += 1;
      this.draw();
    }, busy ? BUSY : wait);
  }

  edit(task: Task, set: TaskSet): void {
    this.editMany([{ task, set }]);
  }

  editMany(changes: { task: Task; set: TaskSet }[]): void {
    const parts = changes.map(({ task, set }) => partOf(this.seen(task), set)).filter((part) => !sameSet(part));
    if (parts.length === 0) return;
    this.note(changes.map(({ task }) => task));
    this.undoable.push(parts);
    if (this.undoable.length > 100) this.undoable.shift();
    this.redoable = [];
    this.edits.add(parts);
  }

  get canUndo(): boolean {
    return this.undoable.length > 0;
  }

  undo(): void {
    const parts = this.undoable.pop();
    if (parts) this.turnBack(parts, this.redoable, (part) => [part.set, part.before]);
  }

  redo(): void {
    const parts = this.redoable.pop();
    if (parts) this.turnBack(parts, this.undoable, (part) => [part.before, part.set]);
  }

  /** Writes the other side of an edit where the task still holds what that edit left. */
  private turnBack(parts: Part[], onto: Part[][], sides: (part: Part) => [TaskSet, TaskSet]): void {
    const next: Part[] = [];
    for (const part of parts) {
      const task = this.known(part.task);
      const [from, to] = sides(part);
      if (task && holds(task, from)) next.push({ task: part.task, version: task.version, set: to, before: heldBefore(task, to) });
    }
    if (next.length < parts.length) this.tell.notUndone();
    if (next.length > 0) onto.push(parts);
    this.edits.add(next);
  }

  private forget(parts: Part[]): void {
    this.undoable = this.undoable.filter((held) => held !== parts);
  }

  private clash(edit: Edit, current: Task): void {
    this.forget(edit.parts);
    const part = edit.parts.find((one) => one.task === current.id);
    if (part) this.tell.clash(current, part.set, () => this.edit(current, part.set));
    this.pulseSoon(0);
  }

  private async send(parts: Part[]): Promise<Sent> {
    try {
      const [first] = parts;
      if (parts.length === 1 && first) return { kind: 'done', tasks: [await work.patch(first.task, first.set, first.version)] };
      const changes = parts.map(({ task, set, version }) => ({ id: task, set, version }));
      return { kind: 'done', tasks: (await work.batch(changes)).tasks };
    } catch (error) {
      if (away(error)) return { kind: 'offline' };
      const current = error instanceof ProblemError && error.problem.code === 'changed_meanwhile' ? (error.problem.current as Task | undefined) : undefined;
      return current ? { kind: 'clash', current } : { kind: 'refused', reason: error };
    }
  }

  /** Somebody is on a row, or on none any more. */
  setHere(presence: Presence | { person: string; task: null }): void {
    if (presence.person === this.me) return;
    if (presence.task === null) this.here.delete(presence.person);
    else this.here.set(presence.person, presence);
    this.draw();
  }

  whoIsOn(task: string): Presence | undefined {
    for (const presence of this.here.values()) {
      if (presence.task === task && Date.now() - presence.at < PRESENT) return presence;
    }
    return undefined;
  }

  name(person: string | null): string {
    return (person && this.people.get(person)?.name) ?? '';
  }
}

const sameSet = (part: Part) => JSON.stringify(part.set) === JSON.stringify(part.before);

export const StoreContext = createContext<WorkStore | null>(null);

export function useStore(): WorkStore {
  const store = useContext(StoreContext);
  if (!store) throw new Error('no work store around this component');
  return store;
}

/** Draws again with each change of the store. */
export function useTick(): number {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => store.tick);
}

export function usePulse(): number {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => store.pulse);
}

export { laid };
