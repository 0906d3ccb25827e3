// What is done about a request in the customer's stead: taking it back in their name, and a link to their copy, sent by
// letter or handed over. The link is shown once; nothing of it stays here.
import { useState } from 'react';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { requests as en } from '@/messages/requests.en';
import { Button, Choice, Copy, Dialog, Time } from '@/ui';
import { offerCopy, withdraw, type Offered } from './api';
import { Foot, useReason, useSend, type Of } from './dialogs';
import { useKind } from './parts';

const WITHDRAWALS = ['customer_said_so', 'asked_twice', 'entered_by_mistake'];

export function Withdraw({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const kind = useKind();
  const why = useReason(WITHDRAWALS, 'customer');
  const { busy, send, wrong } = useSend(onClose);
  const submit = () => { if (why.good()) send(() => withdraw(r.request, why.reason), t.withdrawn); };
  return (
    <Dialog title={t.withdrawTitle(kind(r))} onClose={onClose} onSubmit={submit} foot={<Foot onClose={onClose}><Button kind="danger" solid type="submit" disabled={busy}>{t.withdraw}</Button></Foot>}>
      <p>{t.withdrawText} {r.letters ? t.withdrawLetter : t.noLetters}</p>
      {why.fields}
      {wrong}
    </Dialog>
  );
}

export function OfferCopy({ of: r, onClose }: Of) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [by, setBy] = useState<'letter' | 'hand'>(r.letters ? 'letter' : 'hand');
  const [made, setMade] = useState<Offered | null>(null);
  // A link that was made stays to be read; a letter that was sent needs no more of this dialog.
  const { busy, send, wrong } = useSend(() => { if (by === 'letter') onClose(); });
  if (made?.link) {
    return (
      <Dialog title={t.copyTitle} onClose={onClose} foot={<Button kind="primary" onClick={onClose}>{c.close}</Button>}>
        <p>{t.copyLinkText} <Time at={made.until} /></p>
        <p className="row"><code className="code" style={{ overflowWrap: 'anywhere' }}>{made.link}</code><Copy text={made.link} label={t.copyLink} /></p>
      </Dialog>
    );
  }
  const submit = () => send(() => offerCopy(r.request, by), by === 'letter' ? t.copySent : t.copyMade, setMade);
  return (
    <Dialog title={t.copyTitle} onClose={onClose} onSubmit={submit} foot={<Foot onClose={onClose}><Button kind="primary" type="submit" disabled={busy}>{by === 'letter' ? t.copySend : t.copyShow}</Button></Foot>}>
      <p>{t.copyText}</p>
      {r.letters ? <Choice label={t.copyBy} value={by} onChange={(e) => setBy(e.target.value === 'hand' ? 'hand' : 'letter')} options={[{ value: 'letter', label: t.copyByLetter }, { value: 'hand', label: t.copyByHand }]} /> : <p className="muted">{t.noLetters}</p>}
      {wrong}
    </Dialog>
  );
}
