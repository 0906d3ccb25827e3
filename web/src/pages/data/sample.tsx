// A few rows of one side of a table, through the gate.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { raw } from '@/api/client';
import type { Opened } from '@/api/types';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { data as en } from '@/messages/data.en';
import { Button, Drawer, ProblemView, Skeleton } from '@/ui';
import { OpenedRows, WhyDialog, type Why } from './opened';

export function Sample({ table, side, onClose }: { table: string; side: 'source' | 'target'; onClose: () => void }) {
  const t = useMessages(en);
  const [asking, setAsking] = useState(false);
  const open = useMutation({
    mutationFn: async (why: Why | null) => (await raw('/api/v1/data/rows', {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ table, side, limit: 20, clear: Boolean(why), purpose: why ? { category: why.category, text: why.text } : undefined, task: why?.task || undefined }),
    })).json() as Promise<Opened>,
  });
  return (
    <Drawer title={`${table}: ${side === 'source' ? t.sideSource : t.sideTarget}`} onClose={onClose} wide>
      <p className="muted">{t.lookText}</p>
      <div className="row wrap">
        <Button kind="primary" icon="table" disabled={open.isPending} onClick={() => open.mutate(null)}>{t.lookMasked}</Button>
        <Button icon="eye" disabled={open.isPending} onClick={() => setAsking(true)}>{t.showClear}</Button>
      </div>
      {open.isPending && <Skeleton height={160} />}
      {open.isError && <ProblemView error={open.error} />}
      {open.data && <div><OpenedRows opened={open.data} label={t.look} /><p className="small muted row" style={{ marginTop: 8 }}><span>{num(open.data.rows.length)} {t.rows}</span><span className="push mono">{t.accessId} {open.data.access.slice(-12)}</span></p></div>}
      {asking && <WhyDialog onClose={() => setAsking(false)} onAsk={(why) => { setAsking(false); open.mutate(why); }} />}
    </Drawer>
  );
}
