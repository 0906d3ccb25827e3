// What an event makes stale is asked for again. Progress of a run goes straight into what is shown.
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { Progress, RunDetail } from '@/api/types';
import { useLive, type LiveEvent } from './live';

const STALE: Record<string, readonly string[]> = {
  'alert.raised': ['alerts', 'alert'],
  'alert.closed': ['alerts', 'alert'],
  'duplicates.decided': ['duplicates', 'duplicate-preview', 'run', 'runs', 'overview'],
  'grant.changed': ['grants'],
  'notice.changed': ['notices'],
  'person.changed': ['me', 'people', 'person', 'invitations', 'presence'],
  'plan.edited': ['plan', 'approvals', 'overview', 'notices'],
  'plan.approved': ['approvals'],
  'policy.changed': ['policy'],
  'presence.changed': ['presence'],
  'presence.reset': ['presence'],
  'quarantine.decided': ['quarantine', 'run', 'runs', 'overview'],
  'request.changed': ['requests'],
  'run.changed': ['runs', 'run', 'quarantine', 'duplicates', 'overview', 'presence'],
};

/** Keeps what is shown true while the shell is there. */
export function useInvalidations(): void {
  const client = useQueryClient();
  const hear = useCallback((event: LiveEvent) => {
    if (event.kind === 'reset') { void client.invalidateQueries(); return; }
    if (event.kind === 'run.progress') {
      const progress = event.data as unknown as Progress;
      client.setQueryData<RunDetail>(['run', progress.run], (run) => (run ? { ...run, status: progress.status, progress } : run));
      client.setQueryData(['progress', progress.run], progress);
      if (progress.status === 'done' || progress.status === 'stopped' || progress.status === 'paused') {
        for (const key of ['runs', 'run', 'quarantine', 'duplicates', 'overview']) void client.invalidateQueries({ queryKey: [key] });
      }
      return;
    }
    // The pages of Work keep themselves; the overview's view of them is kept here.
    if (event.kind === 'work') for (const what of ['forecast', 'mine']) void client.invalidateQueries({ queryKey: ['work', what] });
    for (const key of STALE[event.kind] ?? []) void client.invalidateQueries({ queryKey: [key] });
  }, [client]);
  useLive(['*'], hear);
}
