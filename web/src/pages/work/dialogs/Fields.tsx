// The workspace's own fields: their names, kinds and choices.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { Button, Choice, Dialog, Field as Line } from '@/ui';
import { work } from '../api';
import { useStore } from '../store';
import type { Field, FieldType } from '../types';
import { useWords } from '../words';
import type { DialogProps } from './index';

const TYPES: FieldType[] = ['text', 'number', 'date', 'person', 'select', 'multi_select', 'checkbox', 'url'];
const chooses = (type: FieldType) => type === 'select' || type === 'multi_select';

export function FieldsDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const store = useStore();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['work', 'fields'], queryFn: work.fields });
  const [name, setName] = useState('');
  const [type, setType] = useState<FieldType>('text');
  const [options, setOptions] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const again = async () => {
    await client.invalidateQueries({ queryKey: ['work', 'fields'] });
    store.pulseSoon(0);
  };
  const names = (text: string) => text.split(',').map((one) => one.trim()).filter(Boolean);
  const add = async () => {
    if (name.trim() === '') {
      setWrong(t.nameNeeded);
      return;
    }
    try {
      await work.createField({ name: name.trim(), type, options: chooses(type) ? names(options).map((one) => ({ id: '', name: one, colour: '' })) : [] });
      setName('');
      setOptions('');
      setWrong(null);
      await again();
    } catch (error) {
      toastProblem(error);
    }
  };
  /** Choices that keep their name keep their id, so that tasks keep their values. */
  const change = async (field: Field, text: string) => {
    const next = names(text).map((one) => field.options.find((option) => option.name === one) ?? { id: '', name: one, colour: '' });
    await work.patchField(field.id, { options: next }).then(again).catch(toastProblem);
  };
  return (
    <Dialog wide title={t.dialogs.fields} onClose={onClose} onSubmit={() => void add()}>
      <ul className="field-list">
        {(query.data ?? []).map((field) => (
          <li key={field.id}>
            <input className="bare" aria-label={t.nameOf(field.name)} defaultValue={field.name} onBlur={(event) => { const next = event.target.value.trim(); if (next !== '' && next !== field.name) void work.patchField(field.id, { name: next }).then(again).catch(toastProblem); }} />
            <span className="muted small">{t.fieldType[field.type]}</span>
            {chooses(field.type) ? <input className="bare" aria-label={t.choicesOf(field.name)} defaultValue={field.options.map((one) => one.name).join(', ')} onBlur={(event) => { if (event.target.value !== field.options.map((one) => one.name).join(', ')) void change(field, event.target.value); }} /> : <span />}
            <Button small kind="quiet" iconOnly icon="trash" aria-label={t.deleteField(field.name)} onClick={() => void work.removeField(field.id).then(again).then(() => toast(t.fieldDeleted(field.name))).catch(toastProblem)} />
          </li>
        ))}
        {query.data?.length === 0 && <li className="muted">{t.noFields}</li>}
      </ul>
      <section className="section"><header><h3>{t.addField}</h3></header>
        <div className="pair">
          <Line label={t.name} value={name} wrong={wrong} maxLength={80} onChange={(event) => setName(event.target.value)} />
          <Choice label={t.type} value={type} onChange={(event) => setType(event.target.value as FieldType)} options={TYPES.map((value) => ({ value, label: t.fieldType[value] }))} />
        </div>
        {chooses(type) && <Line label={t.choices} hint={t.choicesHint} value={options} onChange={(event) => setOptions(event.target.value)} />}
        <p className="edit-foot"><Button small kind="primary" type="submit">{t.addField}</Button></p>
      </section>
    </Dialog>
  );
}
