// What is decided about a notice: approved by somebody who did not write it, taken back, withdrawn.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemError } from '@/api/client';
import { useActorName } from '@/app/people';
import { useMay, useMe } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { tell as en } from '@/messages/tell.en';
import { Area, Button, Dialog, Icon, Loaded, Menu, ProblemView, Time, type MenuItem } from '@/ui';
import { approve, diffQuery, previewPath, stale, takeBack, withdraw, type NoticeText, type Version } from './api';
import { Differences } from './differences';
import { Said } from './mend';
import { Framed } from './preview';
import { sides } from './text';

/** Whether this person wrote or handed in what waits. */
const wrote = (v: Version, me: string | undefined) => Boolean(me) && (v.submitted_by === me || v.authors.includes(me ?? ''));

/** What waits, and for whom. */
export function Waiting({ of }: { of: NoticeText }) {
  const t = useMessages(en);
  const may = useMay();
  const me = useMe();
  const name = useActorName();
  if (!of.waiting) return of.status === 'changed' && of.shown && of.version === of.shown.version ? <p className="note warn-note">{t.bumpHint(of.shown.version)}</p> : null;
  const v = of.waiting;
  return <p className="note">{t.approveBy(name(v.submitted_by))}, <Time at={v.submitted_at} />. {may('notices.approve') && wrote(v, me?.person) ? t.own : t.waitsFor}</p>;
}

/** The buttons of the head. */
export function Deciding({ of, dirty }: { of: NoticeText; dirty: boolean }) {
  const t = useMessages(en);
  const may = useMay();
  const me = useMe();
  const client = useQueryClient();
  const [open, setOpen] = useState<'' | 'approve' | 'withdraw'>('');
  const waits = of.waiting;
  const mayApprove = waits && may('notices.approve') && !wrote(waits, me?.person);
  const back = (v: Version) => { takeBack(v).then(() => { toast(t.tookBack); void stale(client); }, toastProblem); };
  const items: MenuItem[] = [];
  if (waits && may('notices.write')) items.push({ label: t.takeBack, icon: 'undo', run: () => back(waits) });
  if (of.shown) items.push({ label: t.seePublic, icon: 'outside', run: () => { window.open(`/tell/${of.notice ?? ''}?lang=${of.locale ?? ''}`, '_blank', 'noopener'); } });
  if (of.shown && may('notices.withdraw')) items.push({ label: t.withdraw, icon: 'close', danger: true, run: () => setOpen('withdraw') });
  return (
    <>
      {mayApprove && <Button kind={dirty ? undefined : 'primary'} onClick={() => setOpen('approve')}>{t.approveOpen}</Button>}
      {items.length > 0 && <Menu label={t.more} items={items} />}
      {open === 'approve' && waits && <Approve of={of} version={waits} onClose={() => setOpen('')} />}
      {open === 'withdraw' && of.shown && <Withdraw of={of} version={of.shown} onClose={() => setOpen('')} />}
    </>
  );
}

function Approve({ of, version: v, onClose }: { of: NoticeText; version: Version; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const name = useActorName();
  const client = useQueryClient();
  const diff = useQuery(diffQuery(v.id));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = () => {
    setBusy(true);
    setError(null);
    approve(v).then(() => { toast(t.approved); void stale(client); onClose(); }, (e: unknown) => { setError(e); void stale(client); }).finally(() => setBusy(false));
  };
  return (
    <Dialog wide title={t.approveTitle(v.version)} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy}>{t.approveDo}</Button></>}>
      <p>{t.approveText}</p>
      <p className="muted">{t.approveBy(name(v.submitted_by))}, <Time at={v.submitted_at} />. {t.wrote}: {v.authors.map((a) => name(a)).join(', ')}.</p>
      {v.sha256 !== of.sha256 && <p className="note warn-note">{t.approveDiffers}</p>}
      {error !== null && <Refused error={error} />}
      <Loaded query={diff}>{(d) => d.old ? <Differences of={d} /> : null}</Loaded>
      <Framed path={previewPath({ version: v.id }, 'page', 0, v.sha256)} width={720} height={420} title={t.previewOf(t.forms.desktop ?? '')} />
    </Dialog>
  );
}

/** Why a notice is not published; where it contradicts the plan, both sides. */
function Refused({ error }: { error: unknown }) {
  const t = useMessages(en);
  const found = error instanceof ProblemError ? (error.problem.findings ?? []).filter((f) => f.level === 'error') : [];
  if (!(error instanceof ProblemError) || found.length === 0) return <ProblemView error={error} />;
  const against = error.problem.code === 'notice_contradicts_plan';
  return (
    <div className="against" role="alert">
      <p><b>{against ? t.contradictTitle : t.handInHeld}</b></p>
      {against && <p className="muted">{t.contradictText}</p>}
      <ul className="findings">{found.map((f, i) => {
        const both = sides(f.message);
        return (
          <li key={i}><span className="bad"><Icon name="warn" /></span><span>{both ? <><b>{both.what}</b><dl className="sides"><div><dt>{t.noticeSays}</dt><dd>{both.notice}</dd></div><div><dt>{t.planSays}</dt><dd>{both.plan}</dd></div></dl></> : <Said>{f.message}</Said>}</span>{f.help && <span className="help-line"><Said>{f.help}</Said></span>}</li>
        );
      })}</ul>
    </div>
  );
}

function Withdraw({ of, version: v, onClose }: { of: NoticeText; version: Version; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const answered = of.answers.filter((a) => a.version === v.version).reduce((sum, a) => sum + a.people, 0);
  const submit = () => {
    setTried(true);
    if (!reason.trim() || busy) return;
    setBusy(true);
    withdraw(v, reason.trim()).then(() => { toast(t.withdrawn); void stale(client); onClose(); }, toastProblem).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t.withdrawTitle(v.version)} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="danger" solid type="submit" disabled={busy}>{t.withdraw}</Button></>}>
      <p>{t.withdrawText(v.notice)}</p>
      {answered > 0 && <p>{t.withdrawAnswers(num(answered))}</p>}
      <Area label={c.reasonText} hint={c.reasonTextHint} wrong={tried && !reason.trim() ? c.reasonNeeded : null} value={reason} onChange={(e) => setReason(e.target.value)} />
    </Dialog>
  );
}
