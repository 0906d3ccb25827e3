// Import in two steps: the file, then which of its columns goes where. What has no home is listed, not dropped.
import { useState, type ReactElement } from 'react';
import { toastProblem } from '@/app/toast';
import { num } from '@/i18n/format';
import { Button, Choice, Dialog, Field } from '@/ui';
import { work } from '../api';
import { fieldsOf } from '../fields';
import { useStore, type WorkStore } from '../store';
import type { Imported, ImportPreview } from '../types';
import { useWords, type Words } from '../words';
import type { DialogProps } from './index';

export const FORMATS = ['airtable', 'asana', 'trello', 'jira', 'csv'] as const;

export function ImportDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const store = useStore();
  const [text, setText] = useState('');
  const [format, setFormat] = useState('');
  const [name, setName] = useState('');
  const [preview, setPreview] = useState<ImportPreview | null>(null);
  const [mapping, setMapping] = useState<Record<string, string>>({});
  const [done, setDone] = useState<Imported | null>(null);
  const [busy, setBusy] = useState(false);
  const look = async () => {
    setBusy(true);
    try {
      const found = await work.previewImport(text, format || undefined);
      setPreview(found);
      setMapping(Object.fromEntries(found.columns.map((column) => [column.name, column.proposed ?? ''])));
    } catch (error) {
      toastProblem(error);
    }
    setBusy(false);
  };
  const bring = async () => {
    if (!preview) return;
    setBusy(true);
    try {
      setDone(await work.importTasks(preview.format, text, mapping));
      store.pulseSoon(0);
    } catch (error) {
      toastProblem(error);
    }
    setBusy(false);
  };
  if (done) {
    return (
      <Dialog title={t.imported(done.created, num(done.created))} onClose={onClose} foot={<>{done.change && <Button icon="undo" onClick={() => void work.undo(done.change as string).then(() => { store.pulseSoon(0); onClose(); }).catch(toastProblem)}>{t.undo}</Button>}<Button kind="primary" onClick={onClose}>{t.done}</Button></>}>
        <Homeless list={done.no_home.map((one) => `${one.name}: ${t.noHomeWhy[one.why as keyof typeof t.noHomeWhy] ?? one.why} (${num(one.rows)})`)} />
      </Dialog>
    );
  }
  if (preview) {
    const homes = homesOf(store, t);
    return (
      <Dialog wide title={t.importMapping} onClose={onClose} onSubmit={() => void bring()} foot={<><Button onClick={() => setPreview(null)}>{t.back}</Button><Button kind="primary" type="submit" disabled={busy}>{t.importRows(num(preview.rows))}</Button></>}>
        <p className="muted">{t.importFound(t.formats[preview.format as keyof typeof t.formats] ?? preview.format, num(preview.rows))}</p>
        <div className="table-scroll" tabIndex={0} role="region" aria-label={t.importMapping}>
          <table className="table">
            <thead><tr><th scope="col">{t.importColumn}</th><th scope="col">{t.importSample}</th><th scope="col">{t.importTo}</th></tr></thead>
            <tbody>
              {preview.columns.map((column) => (
                <tr key={column.name}>
                  <td><b>{column.name}</b></td>
                  <td className="muted"><span className="sample clip">{column.sample}</span></td>
                  <td><Choice hideLabel label={t.importToOf(column.name)} value={mapping[column.name] ?? ''} onChange={(event) => setMapping({ ...mapping, [column.name]: event.target.value })} options={[{ value: '', label: t.noHome }, ...homes]} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <Homeless list={[...new Set([...preview.no_home.filter((name) => !mapping[name]), ...preview.columns.filter((column) => !mapping[column.name]).map((column) => column.name)])]} />
      </Dialog>
    );
  }
  return (
    <Dialog title={t.dialogs.import} onClose={onClose} onSubmit={() => void look()} foot={<><Button onClick={onClose}>{t.cancel}</Button><Button kind="primary" type="submit" disabled={busy || text === ''}>{t.next}</Button></>}>
      <p className="muted">{t.importHelp}</p>
      <Field label={t.file} type="file" accept=".csv,.json,.txt,text/csv,application/json" hint={name || undefined} onChange={(event) => {
        const file = event.target.files?.[0];
        setName(file?.name ?? '');
        void file?.text().then(setText);
      }} />
      <Choice label={t.format} value={format} onChange={(event) => setFormat(event.target.value)} options={[{ value: '', label: t.detect }, ...FORMATS.map((value) => ({ value, label: t.formats[value] }))]} />
    </Dialog>
  );
}

/** Where a column can go: the fields of a task, the workspace's own, and what only a file has. */
function homesOf(store: WorkStore, t: Words): { value: string; label: string }[] {
  const fields = fieldsOf(store, t).filter((field) => !['table', 'step'].includes(field.id));
  return [
    ...fields.map((field) => ({ value: field.custom ? `fields.${field.id}` : field.id, label: field.name })),
    { value: 'description', label: t.description },
    ...Object.entries(t.importHome).map(([value, label]) => ({ value, label })),
  ];
}

function Homeless({ list }: { list: string[] }): ReactElement | null {
  const t = useWords();
  if (list.length === 0) return <p className="good">{t.allHaveHome}</p>;
  return <div className="note warn-note"><p><b>{t.noHomeTitle(num(list.length))}</b></p><ul className="homeless">{list.map((one) => <li key={one}>{one}</li>)}</ul></div>;
}
