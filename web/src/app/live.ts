// Live events. One tab of this browser holds the stream (a person has few, and a browser opens few connections to a
// host) and passes what it hears to the others; when it closes, another takes over.
import { useEffect, useSyncExternalStore } from 'react';
import { toSignIn } from '@/api/client';

/** One event of the server. */
export interface LiveEvent {
  kind: string;
  data: Record<string, unknown>;
}

export type LiveState = 'connecting' | 'live' | 'offline';

/** Every kind that the server sends. */
const KINDS = ['hello', 'reset', 'ended', 'drain', 'alert.closed', 'alert.raised', 'duplicates.decided', 'grant.changed', 'notice.changed', 'person.changed',
  'plan.approved', 'plan.edited', 'policy.changed', 'presence.changed', 'presence.reset', 'quarantine.decided',
  'request.changed', 'run.changed', 'run.progress', 'work', 'here'] as const;
export type LiveKind = (typeof KINDS)[number];

type Listener = (event: LiveEvent) => void;
const listeners = new Map<string, Set<Listener>>();
const watchers = new Set<() => void>();
let state: LiveState = 'connecting';
let channel: BroadcastChannel | null = null;
let started = false;

function setState(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const tell of watchers) tell();
}

function hear(event: LiveEvent): void {
  for (const listener of listeners.get(event.kind) ?? []) listener(event);
  for (const listener of listeners.get('*') ?? []) listener(event);
  if (event.kind === 'ended') toSignIn();
}

function open(pass: (message: { event?: LiveEvent; state?: LiveState }) => void): EventSource {
  const source = new EventSource('/api/v1/events');
  const be = (next: LiveState) => { setState(next); pass({ state: next }); };
  source.onopen = () => be('live');
  source.onerror = () => {
    be('offline');
    // A stream that was refused (as opposed to broken off) is not opened again by the browser.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { open(pass); }, 5000);
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (frame) => {
      let data: Record<string, unknown> = {};
      try { data = JSON.parse((frame as MessageEvent<string>).data) as Record<string, unknown>; } catch { /* no body */ }
      const event = { kind, data };
      hear(event);
      pass({ event });
    });
  }
  return source;
}

/** Begins to listen; once a tab. */
export function startLive(): void {
  if (started || typeof EventSource === 'undefined') return;
  started = true;
  if (typeof BroadcastChannel === 'undefined' || !navigator.locks) { open(() => undefined); return; }
  channel = new BroadcastChannel('dunlin.live');
  channel.onmessage = (message: MessageEvent<{ event?: LiveEvent; state?: LiveState; ask?: true }>) => {
    const { event, state: next } = message.data;
    if (event) hear(event);
    if (next) setState(next);
  };
  const passed = channel;
  channel.postMessage({ ask: true });
  void navigator.locks.request('dunlin.live', () => new Promise<never>(() => {
    passed.onmessage = (message: MessageEvent<{ ask?: true }>) => { if (message.data.ask) passed.postMessage({ state }); };
    open((what) => passed.postMessage(what));
  }));
}

/** Calls back for events of these kinds (`*` for all) while the component is shown. */
export function useLive(kinds: readonly (LiveKind | '*')[], callback: Listener): void {
  const key = kinds.join();
  useEffect(() => {
    const of = key.split(',');
    for (const kind of of) {
      const set = listeners.get(kind) ?? new Set();
      set.add(callback);
      listeners.set(kind, set);
    }
    return () => { for (const kind of of) listeners.get(kind)?.delete(callback); };
  }, [key, callback]);
}

/** Whether events arrive now. */
export function useLiveState(): LiveState {
  return useSyncExternalStore((tell) => { watchers.add(tell); return () => watchers.delete(tell); }, () => state);
}
