// Decisions on their way. A person goes on to the next pair at once; the server carries decisions out one request at a
// time, several of a kind together. What it refuses comes back into the queue, and what has not been sent yet is taken
// back without asking anybody. It lives beside the page, so that leaving the page loses nothing.
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { api, body } from '@/api/client';
import { toast, toastProblem } from '@/app/toast';
import type { Decided } from './api';

export type Word = 'merge' | 'keep' | 'undo';
/** What is asked for a pair; `back` where it takes the decision before it back. */
export interface Ask { pair: string; decision: Word; back?: boolean }

/** The most that one request decides on. */
const TOGETHER = 100;

/** The next asks that go together: those of one kind at the head of the queue. */
export function batch(waiting: readonly Ask[]): Ask[] {
  const first = waiting[0];
  if (!first) return [];
  const end = waiting.findIndex((ask) => ask.decision !== first.decision);
  return waiting.slice(0, Math.min(end < 0 ? waiting.length : end, TOGETHER));
}

/** What brings a pair back to how it stood: an earlier decision of a person is said again. */
export function takenBack(pair: string, before: string): Ask {
  return { pair, decision: before === 'merged' ? 'merge' : before === 'kept' ? 'keep' : 'undo', back: true };
}

/** The queue with one more ask: taking back what has not been sent only takes it out. */
export function added(waiting: readonly Ask[], ask: Ask): Ask[] {
  const rest = waiting.filter((one) => one.pair !== ask.pair);
  return (ask.back || ask.decision === 'undo') && rest.length < waiting.length ? rest : [...rest, ask];
}

interface Known { waiting: readonly Ask[]; sent: readonly Ask[] }
let known: Known = { waiting: [], sent: [] };
let working = false;
const listeners = new Set<() => void>();
// The browser asks before it closes a page whose decisions are still on their way.
const leaving = (event: BeforeUnloadEvent) => event.preventDefault();
const set = (next: Known) => {
  known = next;
  if (known.waiting.length + known.sent.length > 0) window.addEventListener('beforeunload', leaving);
  else window.removeEventListener('beforeunload', leaving);
  for (const tell of listeners) tell();
};

/** How a pair stands once what has been sent is done; `listed` is how the list has it. */
export function standing(pair: string, listed: string): string {
  const sent = known.sent.find((ask) => ask.pair === pair)?.decision;
  return sent === 'merge' ? 'merged' : sent === 'keep' ? 'kept' : sent === 'undo' ? 'waits' : listed;
}

/** What the page says of decisions that the server did not do at once. */
export interface Says { nextRun: (why: string) => string }

/** Decides on a pair. */
export function decide(client: QueryClient, ask: Ask, says: Says): void {
  set({ ...known, waiting: added(known.waiting, ask) });
  void work(client, says);
}

async function work(client: QueryClient, says: Says): Promise<void> {
  if (working) return;
  working = true;
  while (known.waiting.length > 0) {
    const now = batch(known.waiting);
    const [first] = now;
    if (!first) break;
    set({ waiting: known.waiting.slice(now.length), sent: now });
    try {
      const done = await body<Decided>(api.POST('/api/v1/duplicates/decide', { body: { pairs: now.map((ask) => ask.pair), decision: first.decision } }));
      if (done.next_run) toast(says.nextRun(done.next_run));
    } catch (error) {
      toastProblem(error);
    }
    // The list is true again before what stood in for it goes.
    await client.invalidateQueries({ queryKey: ['duplicates'] }).catch(() => undefined);
    void client.invalidateQueries({ queryKey: ['duplicate-preview'] });
    set({ ...known, sent: [] });
  }
  working = false;
  for (const key of ['run', 'runs', 'overview']) void client.invalidateQueries({ queryKey: [key] });
}

/** The decisions that the server has not confirmed yet. */
export function useUnderWay(): readonly Ask[] {
  const { waiting, sent } = useSyncExternalStore((tell) => { listeners.add(tell); return () => listeners.delete(tell); }, () => known);
  return sent.length ? [...sent, ...waiting] : waiting;
}
