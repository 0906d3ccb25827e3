// A first text of a notice: drafted from the plan, or begun from another language of the same notice.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { planQuery } from '@/api/queries';
import type { Plan } from '@/api/types';
import { useIf } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useLang, useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { tell as en } from '@/messages/tell.en';
import { Button, Choice, Dialog, Field } from '@/ui';
import { draft, saveNew, stale, type NoticeLine, type NoticeText } from './api';
import { useLanguage } from './state';
import { inLanguage } from './text';

/** Languages in which dunlin writes sentences of its own. */
const DRAFTED = ['en', 'es'];
const fits = (name: string) => /^[a-z0-9][a-z0-9-]{0,63}$/.test(name);

/** What the plan calls its notice, so that the first draft is the one that it waits for. */
function planned(plan: Plan | null | undefined, taken: readonly NoticeLine[]): { notice: string; lang: string } | null {
  for (const { file } of plan?.notices ?? []) {
    const [, notice, lang] = /^notices\/(.+?)(?:\.([a-z]{2}))?\.md$/.exec(file) ?? [];
    if (notice && fits(notice) && !taken.some((n) => `notices/${n.name}` === file)) return { notice, lang: lang && DRAFTED.includes(lang) ? lang : 'en' };
  }
  return null;
}

export function Draft({ taken, onClose }: { taken: readonly NoticeLine[]; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const reader = useLang();
  const language = useLanguage();
  const client = useQueryClient();
  const navigate = useNavigate();
  const wanted = planned(useIf('plan.read', planQuery).data?.data.plan as Plan | undefined, taken);
  const [form, setForm] = useState<{ notice?: string; lang?: string; begins: string; ends: string; old_copy_until: string }>({ begins: '', ends: '', old_copy_until: '' });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const notice = form.notice ?? wanted?.notice ?? '';
  const lang = form.lang ?? wanted?.lang ?? reader;
  const there = taken.some((n) => n.name === `${notice}.${lang}.md`);
  const wrong = !fits(notice) ? t.draftNameWrong : there ? t.draftTaken : null;
  const day = (text: string) => text || undefined;
  const submit = () => {
    setTried(true);
    if (wrong || busy) return;
    setBusy(true);
    draft({ notice, lang, begins: day(form.begins), ends: day(form.ends), old_copy_until: day(form.old_copy_until) }).then(async (made) => {
      await stale(client);
      toast(t.drafted);
      void navigate({ to: '/notices/$name', params: { name: made.name } });
    }, toastProblem).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t.draftTitle} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy}>{t.draftDo}</Button></>}>
      <p>{t.draftText}</p>
      <Field label={t.draftName} hint={t.draftNameHint} wrong={tried ? wrong : null} value={notice} autoComplete="off" spellCheck={false} onChange={(e) => setForm({ ...form, notice: e.target.value })} />
      <Choice label={t.draftLanguage} hint={t.draftLanguageHint} value={lang} onChange={(e) => setForm({ ...form, lang: e.target.value })} options={DRAFTED.map((value) => ({ value, label: language(value) }))} />
      <div className="pair">
        <Field label={t.begins} type="date" value={form.begins} onChange={(e) => setForm({ ...form, begins: e.target.value })} />
        <Field label={t.ends} type="date" value={form.ends} onChange={(e) => setForm({ ...form, ends: e.target.value })} />
      </div>
      <Field label={t.oldCopy} hint={t.datesHint} type="date" value={form.old_copy_until} onChange={(e) => setForm({ ...form, old_copy_until: e.target.value })} />
    </Dialog>
  );
}

export function AddLanguage({ of, there, onClose }: { of: NoticeText; there: readonly string[]; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const language = useLanguage();
  const client = useQueryClient();
  const navigate = useNavigate();
  const free = of.languages.filter((l) => !there.includes(l));
  const [lang, setLang] = useState(free[0] ?? '');
  const [busy, setBusy] = useState(false);
  const notice = of.notice ?? '';
  const submit = () => {
    if (!lang || busy) return;
    setBusy(true);
    const name = `${notice}.${lang}.md`;
    const made = DRAFTED.includes(lang) ? draft({ notice, lang }).then((m) => m.name) : saveNew(name, inLanguage(of.text, lang)).then(() => name);
    made.then(async (to) => { await stale(client); onClose(); void navigate({ to: '/notices/$name', params: { name: to } }); }, toastProblem).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t.addLanguage} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy || !lang}>{t.addLanguageDo}</Button></>}>
      <p>{t.addLanguageText(language(of.locale))}</p>
      <Choice label={t.language} value={lang} onChange={(e) => setLang(e.target.value)} options={free.map((value) => ({ value, label: language(value) }))} />
    </Dialog>
  );
}
