// What stands under the equation: what is next and at risk, who is in the data, what customers were told. Its code comes
// after what the reader sees first.
import type { Approval, PlanBody } from '@/api/types';
import { useMay } from '@/app/session';
import { Next } from './next';
import { Risk } from './risk';
import { Told } from './told';
import { WhoIsIn } from './who';

export function Below({ plan, approvals, anyRun }: { plan: PlanBody | undefined; approvals: Approval[] | undefined; anyRun: boolean }) {
  const may = useMay();
  return (
    <>
      <div className="columns two"><Next plan={plan} approvals={approvals} anyRun={anyRun} /><Risk /></div>
      {may('presence.read') && <div className="columns"><WhoIsIn /></div>}
      <Told />
    </>
  );
}
