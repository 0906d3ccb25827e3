// Rows a second since the page was opened, as a line and as a table.
import { useEffect, useState } from 'react';
import type { Progress } from '@/api/types';
import { useMessages } from '@/i18n';
import { clockSeconds, num } from '@/i18n/format';
import { runs as en } from '@/messages/runs.en';

interface Point { at: number; rate: number }

export function Throughput({ progress }: { progress: Progress }) {
  const t = useMessages(en);
  const [points, setPoints] = useState<readonly Point[]>([]);
  useEffect(() => { setPoints((now) => [...now.slice(-239), { at: Date.now() * 1000, rate: progress.rows_per_second }]); }, [progress]);
  const top = Math.max(1, ...points.map((p) => p.rate));
  const first = points[0]?.at ?? 0;
  const width = Math.max(1, (points[points.length - 1]?.at ?? 1) - first);
  const line = points.map((p, i) => `${i ? 'L' : 'M'}${((p.at - first) / width) * 600} ${56 - (p.rate / top) * 52}`).join('');
  return (
    <figure>
      <figcaption className="row small muted"><span>{points.length > 1 ? t.throughput(num(progress.rows_per_second)) : t.throughputNone}</span><span className="push">{num(top)}</span></figcaption>
      <svg viewBox="0 0 600 58" preserveAspectRatio="none" width="100%" height="58" aria-hidden="true" style={{ display: 'block', borderBottom: '1px solid var(--edge)' }}>
        <path d={line} fill="none" stroke="var(--accent)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
      </svg>
      <details className="small"><summary>{t.rateTable}</summary>
        <table className="table"><thead><tr><th scope="col">{t.time}</th><th scope="col" className="num">{t.rate}</th></tr></thead><tbody>{points.slice(-20).reverse().map((p) => <tr key={p.at}><td>{clockSeconds(p.at)}</td><td className="num">{num(p.rate)}</td></tr>)}</tbody></table>
      </details>
    </figure>
  );
}
