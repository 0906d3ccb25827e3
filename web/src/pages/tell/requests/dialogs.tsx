// The dialogs of a request: who asks, the decision, putting off, handing over, carrying out, the receipt.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { peopleQuery } from '@/api/queries';
import { toast } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { requests as en } from '@/messages/requests.en';
import { saveFile } from '@/pages/data/save-file';
import { Area, Button, Choice, Dialog, Field, ProblemView } from '@/ui';
import { assign, carryOut, decide, extend, isCopy, noteIdentity, receipt, stale, type Carried, type CustomerAsk } from './api';
import { lastDay, useKind } from './parts';

export interface Of { of: CustomerAsk; onClose: () => void }

/** Sends something once, shows what went wrong where it was asked for, and makes the pages read again either way. */
export function useSend(onClose: () => void) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const send = <T,>(asked: () => Promise<T>, said: string, then?: (done: T) => void) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    asked().then((done) => { toast(said); then?.(done); onClose(); }, setError).finally(() => { setBusy(false); void stale(client); });
  };
  return { busy, send, wrong: error === null ? null : <ProblemView error={error} /> };
}

export function Foot({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const c = useMessages(common);
  return <><Button onClick={onClose}>{c.cancel}</Button>{children}</>;
}

export function Identity({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const { busy, send, wrong } = useSend(onClose);
  const note = (outcome: 'confirmed' | 'failed') => send(() => noteIdentity(r.request, outcome), t.identitySaved);
  return (
    <Dialog title={t.identityTitle} onClose={onClose} foot={<Foot onClose={onClose}><Button disabled={busy} onClick={() => note('failed')}>{t.identityNo}</Button><Button kind="primary" disabled={busy} onClick={() => note('confirmed')}>{t.identityYes}</Button></Foot>}>
      <p>{t.identityText}</p>
      {wrong}
    </Dialog>
  );
}

const GRANTS = ['right_of_customer', 'goodwill'];
const REFUSALS = ['legal_obligation', 'legal_claims', 'rights_of_others', 'excessive', 'identity_not_shown', 'not_ours'];
const DELAYS = ['complex', 'many_requests'];

/** A code for the ledger and words for people. */
export function useReason(codes: readonly string[], readBy: 'customer' | 'us') {
  const t = useMessages(en);
  const [category, setCategory] = useState(codes[0] ?? '');
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const fields = (
    <>
      <Choice label={t.reason} value={category} onChange={(e) => setCategory(e.target.value)} options={codes.map((value) => ({ value, label: t.reasons[value] ?? value }))} />
      <Area label={t.words} hint={readBy === 'customer' ? t.wordsRead : t.wordsKept} wrong={tried && !text.trim() ? t.wordsNeeded : null} maxLength={2000} value={text} onChange={(e) => setText(e.target.value)} />
    </>
  );
  return { reason: { category, text: text.trim() }, fields, good: () => { setTried(true); return text.trim() !== ''; } };
}

export function Rule({ of: r, grant, onClose }: Of & { grant: boolean }) {
  const t = useMessages(en);
  const kind = useKind();
  // Where nobody could show who they are, that is the reason unless another one is chosen.
  const codes = grant ? GRANTS : r.identity === 'failed' ? ['identity_not_shown', ...REFUSALS.filter((c) => c !== 'identity_not_shown')] : REFUSALS;
  const why = useReason(codes, grant ? 'us' : 'customer');
  const { busy, send, wrong } = useSend(onClose);
  const [hours, setHours] = useState('0');
  const [tried, setTried] = useState(false);
  // What cannot be brought back may wait a while first.
  const waits = grant && (r.kind === 'erasure' || r.kind === 'rectification');
  const goodHours = /^\d{1,3}$/.test(hours.trim()) && Number(hours) <= 720;
  const submit = () => {
    setTried(true);
    if (!why.good() || (waits && !goodHours)) return;
    send(() => decide(r.request, grant ? 'granted' : 'refused', why.reason, waits ? Number(hours) : 0), grant ? t.granted : t.refused);
  };
  return (
    <Dialog title={grant ? t.grantTitle(kind(r)) : t.refuseTitle(kind(r))} onClose={onClose} onSubmit={submit}
      foot={<Foot onClose={onClose}><Button kind={grant ? 'primary' : 'danger'} solid={!grant} type="submit" disabled={busy}>{grant ? t.grant : t.refuse}</Button></Foot>}>
      <p>{grant ? (isCopy(r) ? t.grantCopyText : t.grantText) : t.refuseText}</p>
      {why.fields}
      {waits && <Field label={t.undoHours} hint={t.undoHoursHint} wrong={tried && !goodHours ? t.undoHoursWrong : null} inputMode="numeric" value={hours} onChange={(e) => setHours(e.target.value)} />}
      {wrong}
    </Dialog>
  );
}

export function PutOff({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const why = useReason(DELAYS, 'customer');
  const { busy, send, wrong } = useSend(onClose);
  const submit = () => { if (why.good()) send(() => extend(r.request, why.reason), t.extendedToast); };
  return (
    <Dialog title={t.extendTitle} onClose={onClose} onSubmit={submit} foot={<Foot onClose={onClose}><Button kind="primary" type="submit" disabled={busy}>{t.extend}</Button></Foot>}>
      <p>{t.extendText} <b>{r.extended_to === null ? '' : lastDay(r.extended_to)}</b>.</p>
      {why.fields}
      {wrong}
    </Dialog>
  );
}

export function HandOver({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const people = useQuery(peopleQuery).data?.items.filter((p) => p.status === 'active') ?? [];
  const [chosen, setChosen] = useState('');
  const { busy, send, wrong } = useSend(onClose);
  const to = chosen || (people.find((p) => p.id === r.owner) ?? people[0])?.id || '';
  return (
    <Dialog title={t.ownTitle} onClose={onClose} onSubmit={() => { if (to) send(() => assign(r.request, to), t.owned); }} foot={<Foot onClose={onClose}><Button kind="primary" type="submit" disabled={busy || !to}>{t.ownDo}</Button></Foot>}>
      <p>{t.ownText}</p>
      <Choice label={t.owner} value={to} onChange={(e) => setChosen(e.target.value)} options={people.map((p) => ({ value: p.id, label: p.name || p.email }))} />
      {wrong}
    </Dialog>
  );
}

export function CarryOut({ of: r, onClose, onCarried }: Of & { onCarried: (done: Carried) => void }) {
  const t = useMessages(en);
  const kind = useKind();
  const { busy, send, wrong } = useSend(onClose);
  const [word, setWord] = useState('');
  const [tried, setTried] = useState(false);
  const erases = r.kind === 'erasure';
  const good = !erases || word.trim().toLowerCase() === t.carryWordIs;
  const submit = () => {
    setTried(true);
    if (good) send(() => carryOut(r.request), t.carried, onCarried);
  };
  return (
    <Dialog title={t.carryTitle(kind(r))} onClose={onClose} onSubmit={submit}
      foot={<Foot onClose={onClose}><Button kind={erases ? 'danger' : 'primary'} solid={erases} type="submit" disabled={busy}>{busy ? t.carrying : erases ? t.carryErase1 : t.carryDo}</Button></Foot>}>
      <p>{erases ? t.carryErase : r.kind === 'rectification' ? t.carryRectify : t.carryOther}</p>
      {(erases || r.kind === 'rectification') && <p className="muted">{t.carryLong}</p>}
      {erases && <Field label={t.carryWord} autoComplete="off" wrong={tried && !good ? t.carryWordWrong : null} value={word} onChange={(e) => setWord(e.target.value)} />}
      {wrong}
    </Dialog>
  );
}

export function Receipt({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const { busy, send, wrong } = useSend(onClose);
  const [who, setWho] = useState('');
  const [tried, setTried] = useState(false);
  const submit = () => {
    setTried(true);
    if (who.trim()) send(() => receipt(r.request, who.trim()), t.receiptSaved, (text) => saveFile([text], `receipt-${r.request}.json`, 'application/json'));
  };
  return (
    <Dialog title={t.receiptTitle} onClose={onClose} onSubmit={submit} foot={<Foot onClose={onClose}><Button kind="primary" type="submit" disabled={busy}>{t.receiptDo}</Button></Foot>}>
      <p>{t.receiptText}</p>
      <Field label={t.receiptWho} hint={t.receiptWhoHint} wrong={tried && !who.trim() ? t.receiptNeeded : null} autoComplete="off" value={who} onChange={(e) => setWho(e.target.value)} />
      {wrong}
    </Dialog>
  );
}
