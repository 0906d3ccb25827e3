// Two people at one notice: both texts where they differ, and the choice between them.
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Button } from '@/ui';
import { apart } from './text';

export function Clash({ mine, theirs, take, keep }: { mine: string; theirs: string; take: () => void; keep: () => void }) {
  const t = useMessages(en);
  const differ = apart(mine, theirs);
  const side = (title: string, lines: readonly string[]) => (
    <div style={{ minWidth: 0 }}><h3>{title}</h3>{lines.length === 0 ? <p className="muted small">{t.noLines}</p> : <pre className="block clash-lines" tabIndex={0} aria-label={title}>{lines.join('\n')}</pre>}</div>
  );
  return (
    <div className="problem clash" role="alert">
      <p className="title">{t.clash}</p>
      <p>{t.clashText(differ.line)}</p>
      <div className="sides">{side(t.mine, differ.mine)}{side(t.theirs, differ.theirs)}</div>
      <p className="row wrap" style={{ marginTop: 8 }}><Button small onClick={take}>{t.takeTheirs}</Button><Button small onClick={keep}>{t.keepMine}</Button></p>
    </div>
  );
}
