// What the gate found, by place, each with what mends it: first where notice and plan contradict each other, then the rest.
import { useState } from 'react';
import type { Finding } from '@/api/client';
import { useMay, useMe } from '@/app/session';
import { sentence } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { tell as en } from '@/messages/tell.en';
import { Area, Badge, Button, ButtonLink, Dialog, Icon, Section } from '@/ui';
import type { NoticeText } from './api';
import { aboutFacts, contradicts, settable, sides } from './text';

interface Calls { onLine: (line: number) => void; onCheck: () => void; onFacts: () => void; onAside: (over: { rule: string; reason: string; by: string }) => void }

const ORDER: Record<string, number> = { error: 0, warning: 1, info: 2 };

export function Mend({ of, findings, said, busy, checking, dirty, ...calls }: { of: NoticeText; findings: readonly Finding[]; said?: string; busy: boolean; checking: boolean; dirty: boolean } & Calls) {
  const t = useMessages(en);
  const may = useMay();
  const writes = may('notices.write');
  const [setting, setSetting] = useState<string | null>(null);
  const against = findings.filter((f) => f.level === 'error' && contradicts(f.rule));
  const rest = findings.filter((f) => !against.includes(f)).sort((a, b) => (ORDER[a.level] ?? 3) - (ORDER[b.level] ?? 3) || (a.line ?? 0) - (b.line ?? 0));
  const count = (level: string) => findings.filter((f) => f.level === level).length;
  const facts = findings.some((f) => f.level === 'error' && aboutFacts(f.rule));
  const can = { aside: writes && !dirty, line: calls.onLine };
  const ask = (rule: string) => setSetting(rule);
  return (
    <Section title={t.findingsOf(count('error'), count('warning'))} right={writes && of.status !== 'broken' && <Button small disabled={busy || dirty} onClick={calls.onCheck}>{checking ? t.checking : t.check}</Button>}>
      {findings.length === 0 && <p className="muted">{t.findingsNone}</p>}
      {against.length > 0 && (
        <div className="against" role={said ? 'alert' : undefined}>
          <p><b>{t.contradictTitle}</b></p>
          <p className="muted">{t.contradictText}</p>
          <ul className="findings">{against.map((f, i) => <Against key={i} finding={f} line={can.line} onAside={can.aside ? ask : undefined} />)}</ul>
        </div>
      )}
      {facts && writes && <p className="row wrap" style={{ margin: '8px 0 12px' }}><Button small disabled={busy || dirty} onClick={calls.onFacts}>{t.takeFacts}</Button><ButtonLink small to="/plan">{t.openPlan}</ButtonLink></p>}
      {rest.length > 0 && <ul className="findings">{rest.map((f, i) => <One key={i} finding={f} line={can.line} onAside={can.aside ? ask : undefined} />)}</ul>}
      {setting && <Aside rule={setting} findings={findings.filter((f) => f.rule === setting && f.level !== 'info')} onClose={() => setSetting(null)} onAside={calls.onAside} />}
    </Section>
  );
}

interface Of { finding: Finding; line: (line: number) => void; onAside?: (rule: string) => void }

function Foot({ finding: f, line, onAside }: Of) {
  const t = useMessages(en);
  return (
    <span className="row wrap small finding-foot">
      {f.line ? <button type="button" className="link nowrap" aria-label={t.goToLine(f.line)} onClick={() => line(f.line as number)}>{t.line(f.line)}</button> : null}
      {onAside && settable(f.rule) && f.level !== 'info' && <button type="button" className="link nowrap" aria-label={t.asideOf(f.rule ?? '')} onClick={() => onAside(f.rule ?? '')}>{t.aside}</button>}
      <code className="mono muted">{f.rule}</code>
    </span>
  );
}

/** What the gate says; what it quotes between backticks looks quoted. */
export function Said({ children }: { children: string }) {
  return <>{children.split('`').map((part, i) => (i % 2 ? <code key={i} className="code">{part}</code> : part))}</>;
}

function One(props: Of) {
  const t = useMessages(en);
  const { finding: f } = props;
  return (
    <li>
      <span className={f.level === 'error' ? 'bad' : f.level === 'warning' ? 'warn' : 'muted'}><Icon name={f.level === 'info' ? 'info' : 'warn'} /><span className="vh">{t.level[f.level] ?? f.level}</span></span>
      <span><Said>{sentence(f.message)}</Said></span>
      {f.help && <span className="help-line"><Said>{sentence(f.help)}</Said></span>}
      <Foot {...props} />
    </li>
  );
}

/** One contradiction, both sides of it beside each other. */
function Against(props: Of) {
  const t = useMessages(en);
  const { finding: f } = props;
  const both = sides(f.message);
  if (!both) return <One {...props} />;
  return (
    <li>
      <span className="bad"><Icon name="warn" /><span className="vh">{t.level.error}</span></span>
      <span><b>{sentence(both.what).replace(/\.$/, '')}</b>
        <dl className="sides"><div><dt>{t.noticeSays}</dt><dd>{both.notice}</dd></div><div><dt>{t.planSays}</dt><dd>{both.plan}</dd></div></dl>
      </span>
      {f.help && <span className="help-line"><Said>{sentence(f.help)}</Said></span>}
      <Foot {...props} />
    </li>
  );
}

function Aside({ rule, findings, onClose, onAside }: { rule: string; findings: readonly Finding[]; onClose: () => void; onAside: Calls['onAside'] }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const me = useMe();
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const short = reason.trim().split(/\s+/).filter(Boolean).length < 3;
  const submit = () => {
    setTried(true);
    if (short || !me) return;
    onAside({ rule, reason: reason.trim().replace(/\s+/g, ' '), by: me.email });
    onClose();
  };
  return (
    <Dialog title={t.asideTitle} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit">{t.asideDo}</Button></>}>
      <p>{t.asideText(findings.length)}</p>
      <ul className="stack" style={{ gap: 4 }}>{findings.slice(0, 5).map((f, i) => <li key={i}><Said>{sentence(f.message)}</Said> {f.line && <span className="small muted nowrap">{t.line(f.line)}</span>}</li>)}</ul>
      {findings.length > 5 && <Badge>+{findings.length - 5}</Badge>}
      <Area label={t.asideReason} hint={t.asideReasonHint} wrong={tried && short ? t.asideReasonShort : null} value={reason} onChange={(e) => setReason(e.target.value)} />
    </Dialog>
  );
}
