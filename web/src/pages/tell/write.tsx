// Writing a notice: its text beside what its readers will see, and under it what has to be mended before it goes out.
import { useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { ProblemError, type Finding } from '@/api/client';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import type { EditorHandle } from '@/pages/plan/editor';
import { Badge, Button, Skeleton } from '@/ui';
import { check, handIn, noticeQuery, save as put, stale, takeFacts, type Read } from './api';
import { Clash } from './clash';
import { Deciding, Waiting } from './decide';
import { Mend } from './mend';
import { Preview } from './preview';
import { setAside } from './text';

const Editor = lazy(() => Promise.all([import('@/pages/plan/editor'), import('./mode')]).then(([{ Editor: Of }, { noticeLanguage }]) => ({ default: (props: Omit<Parameters<typeof Of>[0], 'language' | 'prose'>) => <Of {...props} language={noticeLanguage} prose /> })));

/** What the gate said when it was asked for everything, of a certain text. */
interface Held { sha256: string; findings: Finding[]; title?: string }

export function Write({ read, head }: { read: Read; head: (actions: ReactNode) => ReactNode }) {
  const t = useMessages(en);
  const client = useQueryClient();
  const may = useMay();
  const { data: now, etag } = read;
  const writes = may('notices.write');
  // What the edit began from: somebody else's save must not slip under it.
  const [base, setBase] = useState({ text: now.text, etag });
  const [text, setText] = useState(now.text);
  const [busy, setBusy] = useState<'' | 'save' | 'check' | 'hand'>('');
  const [held, setHeld] = useState<Held | null>(null);
  const editor = useRef<EditorHandle>(null);
  const dirty = text !== base.text;
  const clash = dirty && etag !== base.etag;
  const show = useCallback((to: Read) => {
    client.setQueryData(noticeQuery(to.data.name).queryKey, to);
    setBase({ text: to.data.text, etag: to.etag });
    void stale(client);
  }, [client]);
  useEffect(() => {
    // Nothing of ours is at stake: follow what is saved.
    if (!dirty && etag !== base.etag) { setBase({ text: now.text, etag }); setText(now.text); editor.current?.replace(now.text); }
  }, [now.text, etag, dirty, base.etag]);
  useBlocker({ shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname && !window.confirm(t.leave), enableBeforeUnload: () => dirty });

  const failed = useCallback((error: unknown) => {
    const problem = error instanceof ProblemError ? error.problem : null;
    if (problem && (problem.status === 412 || problem.code === 'notice_changed')) { void stale(client); return; }
    toastProblem(error);
  }, [client]);
  const save = useCallback((given: string, mark: string) => {
    if (busy || !writes || (given === base.text && mark === base.etag)) return;
    setBusy('save');
    const before = base.text;
    put(now.name, given, mark).then((saved) => {
      show(saved);
      toast(t.saved, () => {
        put(now.name, before, saved.etag).then((back) => { show(back); setText(before); editor.current?.replace(before); toast(t.savedUndo); }, failed);
      });
    }, failed).finally(() => setBusy(''));
  }, [busy, writes, base, now.name, show, failed, t]);
  const replace = (to: string) => { setText(to); editor.current?.replace(to); };
  const facts = () => { takeFacts(now.name, etag).then((to) => { show(to); replace(to.data.text); toast(t.tookFacts); }, failed); };
  const aside = (over: { rule: string; reason: string; by: string }) => { const to = setAside(text, over); replace(to); save(to, base.etag); };
  const asked = () => {
    setBusy('check');
    check(now.name).then((found) => { setHeld({ sha256: now.sha256, findings: found.findings }); toast(found.passes ? t.checkedGood : t.checkedBad(found.findings.filter((f) => f.level === 'error').length)); }, failed).finally(() => setBusy(''));
  };
  const hand = () => {
    setBusy('hand');
    handIn(now.name, now.sha256).then(() => { setHeld(null); toast(t.handedIn); void stale(client); }, (error: unknown) => {
      const problem = error instanceof ProblemError ? error.problem : null;
      if (problem?.findings?.length) { setHeld({ sha256: now.sha256, findings: problem.findings, title: problem.title }); toast(t.handInHeld); } else failed(error);
    }).finally(() => setBusy(''));
  };

  const findings = held?.sha256 === now.sha256 ? held.findings : now.findings;
  const errors = findings.filter((f) => f.level === 'error').length;
  // Once this very text waits or is out, there is nothing to hand in.
  const open = now.status === 'draft' || now.status === 'changed';
  const approving = now.waiting !== null && !dirty && may('notices.approve');
  const actions = (
    <>
      {dirty && <Badge tone="warn">{t.unsaved}</Badge>}
      {dirty && <Button onClick={() => replace(base.text)}>{t.discard}</Button>}
      {writes && dirty && <Button kind="primary" disabled={busy !== '' || clash} aria-keyshortcuts="Control+S" onClick={() => save(text, base.etag)}>{busy === 'save' ? t.saving : t.save}</Button>}
      {writes && !dirty && open && <Button kind={approving ? undefined : 'primary'} disabled={busy !== '' || errors > 0} title={errors > 0 ? t.notYet(errors) : undefined} onClick={hand}>{t.handIn}</Button>}
      <Deciding of={now} dirty={dirty} />
    </>
  );
  return (
    <>
      {head(actions)}
      <div className="notice-cols">
        <div className="stack">
          <Waiting of={now} />
          {clash && <Clash mine={text} theirs={now.text} take={() => { setBase({ text: now.text, etag }); replace(now.text); }} keep={() => save(text, etag)} />}
          <Suspense fallback={<Skeleton height={480} />}>
            <Editor ref={editor} label={t.editor} value={base.text} readOnly={!writes} findings={findings} onChange={setText} onSave={() => save(text, base.etag)} />
          </Suspense>
          <p className="small muted">{writes ? t.editorHint : t.readOnly}{dirty && ` ${t.unsavedSays}`}</p>
          <Mend of={now} findings={findings} said={held?.sha256 === now.sha256 ? held.title : undefined} busy={busy !== ''} checking={busy === 'check'} dirty={dirty}
            onLine={(line) => editor.current?.goTo(line)} onCheck={asked} onFacts={facts} onAside={aside} />
        </div>
        <Preview of={now} text={now.text} />
      </div>
    </>
  );
}
