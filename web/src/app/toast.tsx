// Short words at the foot of the page, with undo where there is one. Announced politely to screen readers.
import { useEffect, useSyncExternalStore } from 'react';
import { ProblemError } from '@/api/client';
import { messages, useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';

interface Toast { id: number; text: string; bad: boolean; action?: { label: string; run: () => void } }

let all: readonly Toast[] = [];
let next = 1;
const tellAll = new Set<() => void>();
const change = (to: readonly Toast[]) => { all = to; for (const tell of tellAll) tell(); };

function show(toast: Omit<Toast, 'id'>): void {
  const id = next++;
  change([...all.slice(-2), { ...toast, id }]);
}

const drop = (id: number) => change(all.filter((t) => t.id !== id));

/** Says that something was done. */
export function toast(text: string, undo?: () => void): void {
  const words = messages(common);
  show({ text, bad: false, action: undo ? { label: words.undo, run: undo } : undefined });
}

/** Says what went wrong, in the server's own words, with the reference. */
export function toastProblem(error: unknown): void {
  const words = messages(common);
  const problem = error instanceof ProblemError ? error.problem : undefined;
  const title = problem?.code === 'offline' ? words.offlineProblem : (problem?.title ?? words.failed);
  const ref = problem?.reference ? ` (${problem.reference.slice(0, 8)})` : '';
  show({ text: [sentence(title), problem?.help ? sentence(problem.help) : ''].filter(Boolean).join(' ') + ref, bad: true });
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  if (!text) return '';
  const end = /[.?!`]$/.test(text) ? '' : '.';
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

function One({ toast: t, dismiss }: { toast: Toast; dismiss: string }) {
  useEffect(() => {
    const timer = setTimeout(() => drop(t.id), t.bad ? 12_000 : 6_000);
    return () => clearTimeout(timer);
  }, [t.id, t.bad]);
  return (
    <div className={t.bad ? 'toast bad-toast' : 'toast'}>
      <span>{t.text}</span>
      {t.action && <button type="button" onClick={() => { t.action?.run(); drop(t.id); }}>{t.action.label}</button>}
      <button type="button" aria-label={dismiss} onClick={() => drop(t.id)}>×</button>
    </div>
  );
}

/** Where they appear; once, in the shell. */
export function Toasts() {
  const t = useMessages(common);
  const shown = useSyncExternalStore((tell) => { tellAll.add(tell); return () => tellAll.delete(tell); }, () => all);
  return <div className="toasts" role="status" aria-live="polite">{shown.map((one) => <One key={one.id} toast={one} dismiss={t.dismiss} />)}</div>;
}
