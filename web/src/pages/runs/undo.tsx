// Taking a run back, or giving it up: said in numbers before it is done.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { raw } from '@/api/client';
import type { RunDetail } from '@/api/types';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { Button, Dialog } from '@/ui';

export function UndoDialog({ run, what, loaded, onClose }: { run: RunDetail; what: 'undo' | 'abandon'; loaded: number; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const n = num(loaded);
  const act = useMutation({
    mutationFn: () => raw(`/api/v1/runs/${run.id}/${what}`, { method: 'POST' }),
    onSuccess: () => { toast(what === 'undo' ? t.undone : t.abandoned); for (const key of ['runs', 'run', 'overview', 'quarantine']) void client.invalidateQueries({ queryKey: [key] }); onClose(); },
    onError: (error) => { toastProblem(error); onClose(); },
  });
  return (
    <Dialog title={what === 'undo' ? t.undoTitle(n) : t.abandon} onClose={onClose} onSubmit={() => { if (!act.isPending) act.mutate(); }}
      foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="danger" solid type="submit" disabled={act.isPending}>{what === 'undo' ? t.undoSubmit(n) : t.abandon}</Button></>}>
      <p>{what === 'undo' ? t.undoText(n) : t.abandonText(n)}</p>
    </Dialog>
  );
}
