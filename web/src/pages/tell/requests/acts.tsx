// What may be done about a request now, and the dialogs in which it is done. The next step is the page's one primary
// action; what the caller's role may not do is not offered.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay, useMe } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { requests as en } from '@/messages/requests.en';
import { Button, Menu, type MenuItem } from '@/ui';
import { assign, canExtend, canOffer, canWithdraw, isCopy, isOver, stale, type Carried, type CustomerAsk, type Next } from './api';
import { CarryOut, HandOver, Identity, PutOff, Receipt, Rule } from './dialogs';
import { OfferCopy, Withdraw } from './for-customer';

type Asking = 'identity' | 'grant' | 'refuse' | 'extend' | 'own' | 'carry' | 'copy' | 'withdraw' | 'receipt';

export function Acts({ of: r, next, onCarried }: { of: CustomerAsk; next: Next; onCarried: (done: Carried) => void }) {
  const t = useMessages(en);
  const may = useMay();
  const me = useMe();
  const client = useQueryClient();
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const writes = may('requests.write');
  const decides = may('requests.decide') && (r.state === 'open' || (r.state === 'granted' && r.failed_at !== null));
  const carries = may('requests.carry_out');
  const items: MenuItem[] = [];
  if (writes && !isOver(r) && r.state !== 'acting') {
    if (me && r.owner !== me.person) items.push({ label: t.ownMe, icon: 'person', run: () => { assign(r.request, me.person).then(() => { toast(t.ownedMe); void stale(client); }, toastProblem); } });
    if (may('people.read')) items.push({ label: t.own, icon: 'arrow', run: () => setAsking('own') });
    if (next !== 'identity') items.push({ label: t.identity, icon: 'eye', run: () => setAsking('identity') });
  }
  if (carries && next !== 'carry' && canOffer(r, Date.now() * 1000)) items.push({ label: t.copy, icon: 'link', run: () => setAsking('copy') });
  if (writes && canWithdraw(r)) items.push({ label: t.withdraw, icon: 'left', run: () => setAsking('withdraw') });
  if (writes && canExtend(r)) items.push({ label: t.extend, icon: 'calendar', run: () => setAsking('extend') });
  return (
    <>
      {next === 'identity' && writes && <Button kind="primary" onClick={() => setAsking('identity')}>{t.identity}</Button>}
      {/* Granting somebody else's wish would be worse than a refusal: it waits until it is known who asks. */}
      {decides && r.state === 'open' && r.identity === 'confirmed' && <Button kind="primary" onClick={() => setAsking('grant')}>{t.grant}</Button>}
      {decides && <Button onClick={() => setAsking('refuse')}>{t.refuse}</Button>}
      {next === 'carry' && carries && isCopy(r) && <Button kind="primary" icon="link" onClick={() => setAsking('copy')}>{t.copy}</Button>}
      {next === 'carry' && carries && !isCopy(r) && <Button kind={r.kind === 'erasure' ? 'danger' : 'primary'} onClick={() => setAsking('carry')}>{t.carry}</Button>}
      {r.state === 'done' && carries && <Button icon="download" onClick={() => setAsking('receipt')}>{t.receipt}</Button>}
      {items.length > 0 && <Menu label={t.more} items={items} />}
      {asking === 'identity' && <Identity of={r} onClose={close} />}
      {(asking === 'grant' || asking === 'refuse') && <Rule of={r} grant={asking === 'grant'} onClose={close} />}
      {asking === 'extend' && <PutOff of={r} onClose={close} />}
      {asking === 'own' && <HandOver of={r} onClose={close} />}
      {asking === 'carry' && <CarryOut of={r} onClose={close} onCarried={onCarried} />}
      {asking === 'copy' && <OfferCopy of={r} onClose={close} />}
      {asking === 'withdraw' && <Withdraw of={r} onClose={close} />}
      {asking === 'receipt' && <Receipt of={r} onClose={close} />}
    </>
  );
}
