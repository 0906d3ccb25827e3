// The plan held against its stores, without moving anything.
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, body, type Finding } from '@/api/client';
import { useMessages } from '@/i18n';
import { plan as en } from '@/messages/plan.en';
import { Badge, Button, Empty, ProblemView, SkeletonRows } from '@/ui';
import { Findings } from './findings';
import { PlanFrame } from './frame';

export function PlanCheckPage() {
  const t = useMessages(en);
  const navigate = useNavigate();
  const check = useMutation({ mutationFn: () => body<{ findings: Finding[] }>(api.POST('/api/v1/plan/check')) });
  const count = (level: Finding['level']) => check.data?.findings.filter((f) => f.level === level).length ?? 0;
  const run = () => check.mutate();
  return (
    <PlanFrame actions={<Button kind="primary" icon="check" disabled={check.isPending} onClick={run}>{check.isPending ? t.checkBusy : t.checkRun}</Button>}>
      {check.isIdle && <Empty title={t.checkEmpty}>{t.checkEmptyText}</Empty>}
      {check.isPending && <SkeletonRows rows={5} columns={2} />}
      {check.isError && <ProblemView error={check.error} retry={run} />}
      {check.data && (
        <section aria-labelledby="checked">
          <div className="finding-head">
            <h2 id="checked" className="finding">{count('error') ? t.checkBad(count('error')) : t.checkGood}</h2>
            <span className="row">{count('warning') > 0 && <Badge tone="warn" icon="warn">{t.checkWarn(count('warning'))}</Badge>}{count('info') > 0 && <Badge icon="info">{t.checkInfo(count('info'))}</Badge>}</span>
          </div>
          {check.data.findings.length === 0 ? <p className="muted">{t.findingsNone}</p> : <Findings findings={check.data.findings} onLine={(line) => void navigate({ to: '/plan/text', search: { line: String(line) } } as never)} />}
        </section>
      )}
    </PlanFrame>
  );
}
