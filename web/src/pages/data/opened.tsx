// Rows that came through the gate, and how one asks for them.
import { useState } from 'react';
import type { Opened } from '@/api/types';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { data as en } from '@/messages/data.en';
import { Area, Button, Choice, Dialog, Field, Icon, Masked, useScrollable } from '@/ui';

/** The rows as they may be seen: a mask looks like one. */
export function OpenedRows({ opened, label }: { opened: Opened; label: string }) {
  const t = useMessages(en);
  const scroll = useScrollable();
  return (
    <>
      <div className="table-scroll" {...scroll} role="group" aria-label={label}>
        <table className="table opened-rows">
          <caption className="vh">{label}</caption>
          <thead><tr>{opened.columns.map((c) => <th key={c.name} scope="col">{c.name} {c.shown === 'clear' ? <Icon name="eye" /> : null}</th>)}</tr></thead>
          <tbody>{opened.rows.map((row, i) => <tr key={i}>{row.map((v, j) => <td key={j}>{v === null ? <span className="muted">NULL</span> : opened.columns[j]?.shown === 'clear' ? v : <Masked>{v}</Masked>}</td>)}</tr>)}</tbody>
        </table>
      </div>
      {opened.hidden.length > 0 && <p className="small muted" title={opened.hidden.join(', ')}>{t.hidden(opened.hidden.length)}</p>}
    </>
  );
}

export interface Why { category: string; text: string; task: string }

/** Asks why somebody wants clear values. */
export function WhyDialog({ onClose, onAsk }: { onClose: () => void; onAsk: (why: Why) => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [category, setCategory] = useState('support');
  const [text, setText] = useState('');
  const [task, setTask] = useState('');
  const [tried, setTried] = useState(false);
  const submit = () => { setTried(true); if (text.trim()) onAsk({ category, text: text.trim(), task: task.trim() }); };
  return (
    <Dialog title={t.clearTitle} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" icon="eye">{t.showClear}</Button></>}>
      <p>{t.clearText}</p>
      <Choice label={t.category} value={category} onChange={(e) => setCategory(e.target.value)} options={Object.entries(t.categories).map(([value, label]) => ({ value, label }))} />
      <Area label={c.reasonText} hint={c.reasonTextHint} wrong={tried && !text.trim() ? c.reasonNeeded : null} value={text} onChange={(e) => setText(e.target.value)} />
      <Field label={t.task} hint={t.taskHint} value={task} onChange={(e) => setTask(e.target.value)} />
    </Dialog>
  );
}
