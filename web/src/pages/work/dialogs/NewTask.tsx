// A new task: a title is enough.
import { useState, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { readDay, today } from '@/grid/dates';
import { Area, Button, Choice, Dialog, Field } from '@/ui';
import { work } from '../api';
import { peopleOptions, PRIORITIES } from '../fields';
import { useLocale } from '../parts';
import { useStore } from '../store';
import { useWords } from '../words';
import type { DialogProps } from './index';

export function NewTask({ onClose, onOpen }: DialogProps): ReactElement {
  const t = useWords();
  const store = useStore();
  const locale = useLocale();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [owner, setOwner] = useState('');
  const [priority, setPriority] = useState('normal');
  const [kind, setKind] = useState('task');
  const [day, setDay] = useState('');
  const [wrong, setWrong] = useState<{ title?: string; day?: string }>({});
  const [busy, setBusy] = useState(false);
  const save = async () => {
    const deadline = day.trim() === '' ? null : readDay(day, locale, today());
    const found = { title: title.trim() === '' ? t.titleNeeded : undefined, day: day.trim() !== '' && deadline === null ? t.grid.notADay : undefined };
    setWrong(found);
    if (found.title || found.day) return;
    setBusy(true);
    try {
      const task = await work.create({ title: title.trim(), description, owner: owner === '' ? null : owner, priority, kind, deadline });
      store.note([task]);
      store.pulseSoon(0);
      toast(t.created(task.number));
      onClose();
      onOpen(task.id);
    } catch (error) {
      toastProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t.newTask} onClose={onClose} onSubmit={() => void save()} foot={<><Button onClick={onClose}>{t.cancel}</Button><Button kind="primary" type="submit" disabled={busy}>{t.create}</Button></>}>
      <Field label={t.field.title} value={title} wrong={wrong.title} autoFocus maxLength={500} onChange={(event) => setTitle(event.target.value)} />
      <Area label={t.description} hint={t.markdown} value={description} onChange={(event) => setDescription(event.target.value)} />
      <div className="pair">
        <Choice label={t.field.owner} value={owner} onChange={(event) => setOwner(event.target.value)} options={[{ value: '', label: t.nobody }, ...peopleOptions(store).map((one) => ({ value: one.id, label: one.name }))]} />
        <Field label={t.field.deadline} value={day} placeholder={t.dayExample} wrong={wrong.day} onChange={(event) => setDay(event.target.value)} />
        <Choice label={t.field.priority} value={priority} onChange={(event) => setPriority(event.target.value)} options={PRIORITIES.map((id) => ({ value: id, label: t.priority[id] }))} />
        <Choice label={t.kind} value={kind} onChange={(event) => setKind(event.target.value)} options={[{ value: 'task', label: t.task }, { value: 'milestone', label: t.milestone }]} />
      </div>
    </Dialog>
  );
}
