// What changed between two versions, in the reader's words: the older one left, the newer one right.
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Badge } from '@/ui';
import type { Compared } from './api';

type Words = Compared['parts'][number]['words'];

export function Differences({ of }: { of: Compared }) {
  const t = useMessages(en);
  if (!of.old) return <p className="muted">{t.firstOne}</p>;
  if (of.parts.length === 0) return <p className="muted">{t.same}</p>;
  return (
    <div>
      <p><b>{t.changedParts(of.parts.length)}</b></p>
      <ul className="parts">
        {of.parts.map((part, i) => (
          <li key={i}>
            <h3>{part.place} <Badge tone={part.happened === 'added' ? 'good' : part.happened === 'removed' ? 'warn' : 'info'}>{t.happened[part.happened] ?? part.happened}</Badge></h3>
            <div className="sides">
              <Side title={t.oldSide(of.old?.version ?? 0)} words={part.words} not="added" />
              <Side title={t.oldSide(of.new.version)} words={part.words} not="removed" />
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Side({ title, words, not }: { title: string; words: Words; not: 'added' | 'removed' }) {
  const t = useMessages(en);
  const shown = words.filter((w) => w.what !== not);
  return (
    <div>
      <p className="small muted">{title}</p>
      {shown.length === 0 ? <p className="muted">{t.nothingThere}</p> : (
        <p className="said">{shown.map((w, i) => w.what === 'added' ? <ins key={i}><span className="vh">{t.addedWord} </span>{w.text}</ins> : w.what === 'removed' ? <del key={i}><span className="vh">{t.removedWord} </span>{w.text}</del> : <span key={i}>{w.text}</span>)}</p>
      )}
    </div>
  );
}
