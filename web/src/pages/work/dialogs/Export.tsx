// What leaves as a file: the tasks that the filter leaves, in one of the formats that others read.
import { useState, type ReactElement } from 'react';
import { Button, Check, Choice, Dialog } from '@/ui';
import { work } from '../api';
import { filterJson } from '../filter';
import { sortText } from '../settings';
import { useWords } from '../words';
import { FORMATS } from './Import';
import type { DialogProps } from './index';

export function ExportDialog({ settings, onClose }: DialogProps): ReactElement {
  const t = useWords();
  const [format, setFormat] = useState<string>('csv');
  const filtered = settings.filter.q !== '' || settings.filter.tests.length > 0;
  const [only, setOnly] = useState(filtered);
  const words = only ? { q: settings.filter.q || undefined, filter: filterJson(settings.filter), sort: sortText(settings.sort) } : {};
  return (
    <Dialog title={t.dialogs.export} onClose={onClose} foot={<><Button onClick={onClose}>{t.cancel}</Button><a className="button primary" href={work.exportUrl(format, words)} download onClick={() => setTimeout(onClose)}>{t.download}</a></>}>
      <Choice label={t.format} value={format} onChange={(event) => setFormat(event.target.value)} options={FORMATS.map((value) => ({ value, label: t.formats[value] }))} />
      {filtered && <Check label={t.onlyFiltered} checked={only} onChange={(event) => setOnly(event.target.checked)} />}
      <p className="muted small">{t.exportNote}</p>
    </Dialog>
  );
}
