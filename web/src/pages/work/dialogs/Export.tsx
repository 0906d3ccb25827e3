// What leaves as a file: all tasks, in one of the formats that others read.
import { useState, type ReactElement } from 'react';
import { Button, Choice, Dialog } from '@/ui';
import { work } from '../api';
import { useWords } from '../words';
import { FORMATS } from './Import';
import type { DialogProps } from './index';

export function ExportDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const [format, setFormat] = useState<string>('csv');
  return (
    <Dialog title={t.dialogs.export} onClose={onClose} foot={<><Button onClick={onClose}>{t.cancel}</Button><a className="button primary" href={work.exportUrl(format)} download onClick={() => setTimeout(onClose)}>{t.download}</a></>}>
      <Choice label={t.format} value={format} onChange={(event) => setFormat(event.target.value)} options={FORMATS.map((value) => ({ value, label: t.formats[value] }))} />
      <p className="muted small">{t.exportNote}</p>
    </Dialog>
  );
}
