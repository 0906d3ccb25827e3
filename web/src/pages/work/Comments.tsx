// What people say about a task, with mentions, and the files they put beside it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { bytes } from '@/i18n/format';
import { Button, ProblemView, Skeleton, Time } from '@/ui';
import { work } from './api';
import { kept, mentionAt, written } from './mention';
import { PersonName } from './parts';
import { useStore } from './store';
import type { Comment, Person, Task } from './types';
import { useWords } from './words';

export function Comments({ task }: { task: Task }): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const key = ['work', 'task', task.id, 'comments', task.comments];
  const query = useQuery({ queryKey: key, queryFn: () => work.comments(task.id), placeholderData: (before: Comment[] | undefined) => before });
  const again = () => void client.invalidateQueries({ queryKey: ['work', 'task', task.id] });
  const send = async (text: string) => {
    await work.comment(task.id, text);
    again();
  };
  return (
    <div className="comments">
      {query.isError && !query.data && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={48} />}
      {query.data?.length === 0 && <p className="muted">{t.noComments}</p>}
      <ol>{query.data?.map((comment) => <One key={comment.id} comment={comment} again={again} />)}</ol>
      <Write label={t.writeComment} onSend={send} />
    </div>
  );
}

function One({ comment, again }: { comment: Comment; again: () => void }): ReactElement {
  const t = useWords();
  const store = useStore();
  const [editing, setEditing] = useState(false);
  const mine = comment.author === store.me;
  return (
    <li className="comment">
      <p className="row"><PersonName id={comment.author} /><span className="small muted"><Time at={comment.at} />{comment.edited_at ? ` · ${t.edited}` : ''}</span>
        {mine && !editing && <span className="row push"><Button small kind="quiet" onClick={() => setEditing(true)}>{t.edit}</Button><Button small kind="quiet" onClick={() => void work.removeComment(comment.id).then(again).catch(toastProblem)}>{t.delete}</Button></span>}
      </p>
      {editing
        ? <Write label={t.edit} first={comment.text} onSend={async (text) => { await work.editComment(comment.id, text); setEditing(false); again(); }} onCancel={() => setEditing(false)} />
        // The server made this from Markdown and took out all that could run.
        : <div className="prose" dangerouslySetInnerHTML={{ __html: comment.html }} />}
    </li>
  );
}

function Write({ label, first = '', onSend, onCancel }: { label: string; first?: string; onSend: (text: string) => Promise<void>; onCancel?: () => void }): ReactElement {
  const t = useWords();
  const store = useStore();
  const [begun] = useState(() => written(first));
  const [text, setText] = useState(begun.text);
  const named = useRef(new Map(begun.named));
  const list = useId();
  const [mention, setMention] = useState<{ from: number; word: string } | null>(null);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const people = mention ? [...store.people.values()].filter((person) => person.name.toLowerCase().includes(mention.word.toLowerCase())).slice(0, 6) : [];
  const insert = (person: Person) => {
    if (!mention) return;
    const after = text.slice(mention.from + 1 + mention.word.length);
    named.current.set(person.name, person.id);
    setText(`${text.slice(0, mention.from)}@${person.name} ${after.trimStart()}`);
    setMention(null);
    area.current?.focus();
  };
  const send = async () => {
    if (text.trim() === '' || busy) return;
    setBusy(true);
    try {
      await onSend(kept(text.trim(), named.current));
      setText('');
    } catch (error) {
      // What was written stays where it is.
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const keys = (event: KeyboardEvent) => {
    if (people.length > 0 && ['ArrowDown', 'ArrowUp', 'Enter', 'Tab', 'Escape'].includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'Escape') setMention(null);
      else if (event.key.startsWith('Arrow')) setAt((now) => (now + (event.key === 'ArrowDown' ? 1 : people.length - 1)) % people.length);
      else insert(people[at] ?? (people[0] as Person));
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
  };
  return (
    <div className="write">
      <textarea ref={area} className="input" rows={3} aria-label={label} aria-autocomplete="list" aria-controls={people.length > 0 ? list : undefined} aria-activedescendant={people.length > 0 ? `${list}-${at}` : undefined} placeholder={t.commentHint} value={text} onKeyDown={keys} onChange={(event) => {
        setText(event.target.value);
        setMention(mentionAt(event.target.value, event.target.selectionStart));
        setAt(0);
      }} />
      {people.length > 0 && <ul id={list} className="mentions" role="listbox" aria-label={t.people}>{people.map((person, index) => <li key={person.id} id={`${list}-${index}`} role="option" aria-selected={index === at} onPointerDown={(event) => { event.preventDefault(); insert(person); }}>{person.name}{person.organisation && <span className="small muted"> {person.organisation}</span>}</li>)}</ul>}
      <p className="row edit-foot"><span className="small muted push">{t.markdown}</span>{onCancel && <Button small onClick={onCancel}>{t.cancel}</Button>}<Button small kind="primary" disabled={busy || text.trim() === ''} onClick={() => void send()}>{t.comment}</Button></p>
    </div>
  );
}

const MOST = 10 * 1024 * 1024;

export function Attachments({ task }: { task: Task }): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const file = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const query = useQuery({ queryKey: ['work', 'task', task.id, 'attachments', task.attachments], queryFn: () => work.attachments(task.id) });
  const again = () => void client.invalidateQueries({ queryKey: ['work', 'task', task.id] });
  const add = async (files: FileList | null) => {
    setBusy(true);
    for (const one of files ?? []) {
      if (one.size > MOST) toast(t.tooLarge(one.name, bytes(MOST)));
      else await work.attach(task.id, one).catch(toastProblem);
    }
    setBusy(false);
    again();
  };
  return (
    <>
      <ul className="attachments">
        {query.data?.map((one) => (
          <li key={one.id}><a className="link clip" href={work.attachmentUrl(one.id)} download={one.name}>{one.name}</a><span className="small muted">{bytes(one.bytes)}</span><span className="small muted push"><Time at={one.at} /></span><Button small kind="quiet" iconOnly icon="trash" aria-label={t.removeFile(one.name)} onClick={() => void work.detach(one.id).then(again).catch(toastProblem)} /></li>
        ))}
      </ul>
      <input ref={file} type="file" multiple className="vh" tabIndex={-1} aria-hidden="true" onChange={(event) => { void add(event.target.files); event.target.value = ''; }} />
      <Button small icon="upload" disabled={busy} onClick={() => file.current?.click()}>{t.attach}</Button>
    </>
  );
}
