// Findings of a plan, the worst first.
import type { Finding } from '@/api/client';
import { useMessages } from '@/i18n';
import { plan as en } from '@/messages/plan.en';
import { Icon } from '@/ui';

const ORDER = { error: 0, warning: 1, info: 2 } as const;

export function Findings({ findings, onLine }: { findings: readonly Finding[]; onLine?: (line: number) => void }) {
  const t = useMessages(en);
  const sorted = [...findings].sort((a, b) => (ORDER[a.level] ?? 3) - (ORDER[b.level] ?? 3));
  return (
    <ul className="findings">
      {sorted.map((f, i) => (
        <li key={i}>
          <span className={f.level === 'error' ? 'bad' : f.level === 'warning' ? 'warn' : 'muted'}><Icon name={f.level === 'info' ? 'info' : 'warn'} /><span className="vh">{t[f.level] ?? f.level}</span></span>
          <span>{f.message}{' '}
            {f.line ? onLine ? <button type="button" className="link small nowrap" onClick={() => onLine(f.line as number)}>{t.line(f.line)}</button> : <span className="small muted nowrap">{t.line(f.line)}</span> : null}
            {(f.table || f.column) && <span className="small muted"> {[f.table, f.column].filter(Boolean).join('.')}</span>}
          </span>
          {f.help && <span className="help-line">{f.help}</span>}
        </li>
      ))}
    </ul>
  );
}
