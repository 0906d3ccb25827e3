// A notice as its readers meet it. Documents of the server in frames that run nothing; a wide page is drawn smaller, not
// narrower, so that it looks as it will.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Choice, Loaded, Skeleton } from '@/ui';
import { previewPath, wordsQuery, type Form, type NoticeText } from './api';
import { messages } from './text';

type Look = 'phone' | 'desktop' | 'card' | 'mail' | 'mail_text' | 'text';
const LOOKS: readonly Look[] = ['phone', 'desktop', 'card', 'mail', 'mail_text', 'text'];
const FORM: Record<Look, Form> = { phone: 'page', desktop: 'page', card: 'fragment', mail: 'mail', mail_text: 'mail_text', text: 'text' };
const WIDTH: Partial<Record<Look, number>> = { phone: 390, desktop: 1200, card: 620, mail: 680 };

export function Preview({ of, text }: { of: NoticeText; text: string }) {
  const t = useMessages(en);
  const [look, setLook] = useState<Look>('phone');
  const [message, setMessage] = useState(0);
  const all = messages(text);
  const isMail = look === 'mail' || look === 'mail_text';
  const at = Math.min(message, Math.max(0, all.length - 1));
  const path = previewPath({ name: of.name }, FORM[look], at, of.sha256);
  return (
    <section className="preview" aria-label={t.preview}>
      <div className="looks" role="group" aria-label={t.preview}>
        {LOOKS.map((one) => <button key={one} type="button" aria-pressed={one === look} onClick={() => setLook(one)}>{t.forms[one]}</button>)}
      </div>
      {isMail && all.length > 1 && <Choice label={t.message} hideLabel value={String(at)} onChange={(e) => setMessage(Number(e.target.value))} options={all.map((m, i) => ({ value: String(i), label: t.messageSays(t.daysOff(m.when, m.days), m.subject) }))} />}
      {of.status === 'broken' ? <p className="muted">{t.noPreview}</p>
        : isMail && all.length === 0 ? <p className="muted">{t.noMessages}</p>
          : look === 'mail_text' || look === 'text' ? <Words path={path} sha256={of.sha256} label={t.previewOf(t.forms[look] ?? look)} />
            : <Framed key={path} path={path} width={WIDTH[look] ?? 680} phone={look === 'phone'} title={t.previewOf(t.forms[look] ?? look)} />}
    </section>
  );
}

function Words({ path, sha256, label }: { path: string; sha256: string; label: string }) {
  const query = useQuery(wordsQuery(path.replace(/#.*$/, ''), sha256));
  return <Loaded query={query} skeleton={<Skeleton height={480} />}>{(said) => <pre className="block spoken" tabIndex={0} aria-label={label}>{said}</pre>}</Loaded>;
}

/** A document in a frame of a given width; where there is less room it is scaled down as a whole. */
export function Framed({ path, width, title, phone, height = 640 }: { path: string; width: number; title: string; phone?: boolean; height?: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(width);
  useEffect(() => {
    const at = box.current;
    if (!at || typeof ResizeObserver === 'undefined') return undefined;
    const watch = new ResizeObserver(() => setRoom(at.clientWidth));
    watch.observe(at);
    return () => watch.disconnect();
  }, []);
  // A phone stays a phone; anything else takes the room there is.
  const wide = phone ? width : Math.max(width, room);
  const scale = Math.min(1, room / wide);
  return (
    <div ref={box} className="framed" style={{ height }}>
      {/* Its address carries the text's mark only to be drawn anew; the part after # does not reach the server. */}
      <iframe key={path} src={path} title={title} sandbox="allow-same-origin" className={phone ? 'phone' : undefined} style={{ width: wide, height: height / scale, transform: scale < 1 ? `scale(${scale})` : undefined }} />
    </div>
  );
}
