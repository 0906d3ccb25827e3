import { describe, expect, it, vi } from 'vitest';
import { Edits, heldBefore, laid, partOf, type Part, type Sent } from './edits';
import { filterJson, withTest } from './filter';
import type { Task, TaskSet } from './types';

const task = (over: Partial<Task> = {}): Task => ({
  id: 't1', number: 1, title: 'Map', description: '', description_html: '', kind: 'task', parent: null, origin: 'manual',
  binding: null, confirmable: false, status: 'open', progress: null, evidence: [], stale_because: null, owner: null,
  raci: { responsible: [], accountable: null, consulted: [], informed: [] }, priority: 'normal', start: null, deadline: null,
  estimate_hours: null, labels: [], fields: {}, watchers: [], depends_on: [], schedule: null, risk: null, comments: 0,
  attachments: 0, rank: 'a', version: 1, created_at: 0, updated_at: 0, updated_by: 'ana', started_at: null, done_at: null, gone: false, ...over,
});

/** The server's rule, restated: each field knows the version that wrote it last. */
class Server {
  held = task();
  wrote: Record<string, number> = {};
  down = false;
  loseAnswer = false;
  write(set: TaskSet, version: number): Sent {
    const clash = Object.keys(set).some((name) => (this.wrote[name] ?? 0) > version);
    if (clash) return { kind: 'clash', current: this.held };
    this.held = { ...laid(this.held, set), version: this.held.version + 1 };
    for (const name of Object.keys(set)) this.wrote[name] = this.held.version;
    return { kind: 'done', tasks: [this.held] };
  }
  async send(parts: Part[]): Promise<Sent> {
    await Promise.resolve();
    if (this.down) return { kind: 'offline' };
    const [part] = parts as [Part];
    const answer = this.write(part.set, part.version);
    if (this.loseAnswer) {
      this.loseAnswer = false;
      return { kind: 'offline' };
    }
    return answer;
  }
}

function setUp() {
  const server = new Server();
  const told = { clash: [] as Task[], refused: 0 };
  let seen = server.held;
  const edits: Edits = new Edits({
    send: (parts) => server.send(parts),
    changed: () => undefined,
    saved: (saved) => { seen = saved[0] ?? seen; },
    clash: (_, current) => told.clash.push(current),
    refused: () => { told.refused += 1; },
  });
  return { server, told, edits, edit: (set: TaskSet) => edits.add([partOf(edits.over(seen), set)]), seen: () => edits.over(seen) };
}

const settled = async () => { for (let turn = 0; turn < 60; turn += 1) await Promise.resolve(); };

describe('edits', () => {
  it('shows at once and saves in order', async () => {
    const { edits, edit, seen, server } = setUp();
    edit({ title: 'B' });
    edit({ title: 'C' });
    edit({ fields: { f1: 3 } });
    expect(seen().title).toBe('C');
    await settled();
    expect(edits.waiting).toBe(0);
    expect(server.held.title).toBe('C');
    expect(server.held.fields).toEqual({ f1: 3 });
  });

  it('keeps edits made while the line is down and replays them', async () => {
    vi.useFakeTimers();
    const { edits, edit, seen, server } = setUp();
    server.down = true;
    edit({ title: 'B' });
    edit({ deadline: '2026-12-01' });
    await settled();
    expect(edits.offline).toBe(true);
    expect(seen().title).toBe('B');
    server.down = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(edits.waiting).toBe(0);
    expect(server.held).toMatchObject({ title: 'B', deadline: '2026-12-01' });
    vi.useRealTimers();
  });

  it('is no clash when only the answer was lost', async () => {
    const { edits, edit, told, server } = setUp();
    server.loseAnswer = true;
    edit({ title: 'B' });
    await settled();
    edits.wake();
    await settled();
    expect(told.clash).toEqual([]);
    expect(server.held.title).toBe('B');
    expect(edits.waiting).toBe(0);
  });

  it('merges fields and tells of a clash on the same one', async () => {
    const { edit, told, server, seen } = setUp();
    server.write({ owner: 'ben' }, 1);
    edit({ title: 'B' });
    await settled();
    expect(seen()).toMatchObject({ owner: 'ben', title: 'B' });
    server.write({ title: 'Theirs' }, server.held.version);
    edit({ title: 'Mine' });
    await settled();
    expect(told.clash.map((other) => other.title)).toEqual(['Theirs']);
    expect(seen().title).toBe('Theirs');
  });

  it('lays custom fields beside the others', () => {
    const held = task({ fields: { a: 1, b: 2 } });
    expect(laid(held, { fields: { b: 3 } }).fields).toEqual({ a: 1, b: 3 });
    expect(heldBefore(held, { fields: { b: 3, c: 1 }, title: 'x' })).toEqual({ fields: { b: 2, c: null }, title: 'Map' });
  });
});

describe('filter', () => {
  it('keeps one test for each question, and says it as JSON', () => {
    const filter = withTest(withTest({ q: '', tests: [] }, { field: 'status', is: ['open'] }), { field: 'deadline', before: '2026-12-01' });
    expect(filterJson(filter)).toBe('{"all":[{"field":"status","is":["open"]},{"field":"deadline","before":"2026-12-01"}]}');
    expect(withTest(filter, { field: 'status', is: ['done'] }).tests).toContainEqual({ field: 'status', is: ['done'] });
    expect(withTest(filter, { field: 'status', is: [] }).tests.length).toBe(1);
    expect(filterJson({ q: 'x', tests: [] })).toBeUndefined();
  });
});
