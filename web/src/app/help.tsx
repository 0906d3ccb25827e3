// The sheet of shortcuts.
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Dialog, Kbd } from '@/ui';
import { PLACES } from './places';

export function Help({ onClose }: { onClose: () => void }) {
  const t = useMessages(common);
  return (
    <Dialog title={t.helpTitle} onClose={onClose}>
      <div>
        <h3>{t.helpAnywhere}</h3>
        <dl className="facts">
          <dt><Kbd>Ctrl</Kbd> <Kbd>K</Kbd></dt><dd>{t.helpPalette}</dd>
          <dt><Kbd>?</Kbd></dt><dd>{t.helpSheet}</dd>
          <dt><Kbd>Esc</Kbd></dt><dd>{t.helpEsc}</dd>
        </dl>
      </div>
      <div>
        <h3>{t.helpGo}</h3>
        <dl className="facts">
          {PLACES.map((p) => [<dt key={`${p.key}k`}><Kbd>g</Kbd> {t.then} <Kbd>{p.letter}</Kbd></dt>, <dd key={p.key}>{t[p.key]}</dd>])}
        </dl>
      </div>
    </Dialog>
  );
}
