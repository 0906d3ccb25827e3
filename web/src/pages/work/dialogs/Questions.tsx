// The form by which the business answers what the plan leaves open.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { Area, Button, Dialog, Empty, ProblemView, Skeleton } from '@/ui';
import { work } from '../api';
import { PersonName } from '../parts';
import type { Question } from '../types';
import { useWords } from '../words';
import type { DialogProps } from './index';

export function QuestionsDialog({ onClose, onOpen }: DialogProps): ReactElement {
  const t = useWords();
  const query = useQuery({ queryKey: ['work', 'questions'], queryFn: work.questions });
  return (
    <Dialog wide title={t.dialogs.questions} onClose={onClose}>
      {query.isError ? <ProblemView error={query.error} retry={() => void query.refetch()} /> : !query.data ? <Skeleton height={120} /> : query.data.length === 0 ? <Empty title={t.noQuestions}>{t.noQuestionsHelp}</Empty> : (
        <ol className="questions">{query.data.map((question) => <One key={question.task.id} question={question} onOpen={() => { onClose(); onOpen(question.task.id); }} />)}</ol>
      )}
    </Dialog>
  );
}

function One({ question, onOpen }: { question: Question; onOpen: () => void }): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const [answer, setAnswer] = useState('');
  const [busy, setBusy] = useState(false);
  const { task } = question;
  const save = async () => {
    setBusy(true);
    try {
      await work.answer(task.id, answer.trim());
      toast(t.answered);
      await client.invalidateQueries({ queryKey: ['work', 'questions'] });
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="section">
      <div className="head"><h3>{task.title}</h3><span className="push small row">{task.owner && <PersonName id={task.owner} />}<button type="button" className="link" onClick={onOpen}>T-{task.number}</button></span></div>
      {task.description_html !== '' && <div className="prose" dangerouslySetInnerHTML={{ __html: task.description_html }} />}
      {question.answers.map((one) => <div key={one.id} className="note"><p className="row small"><PersonName id={one.author} /></p><div className="prose" dangerouslySetInnerHTML={{ __html: one.html }} /></div>)}
      {task.status === 'done' ? null : (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); void save(); }}>
          <Area label={t.yourAnswer} value={answer} onChange={(event) => setAnswer(event.target.value)} />
          <p><Button small kind="primary" type="submit" disabled={busy || answer.trim() === ''}>{t.answerIt}</Button></p>
        </form>
      )}
    </li>
  );
}
