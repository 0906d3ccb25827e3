// Spanish: every catalogue of the app, and the server's refusals. One file, fetched by those who read it.
import type { Language } from '@/i18n/language';
import { account } from './account.es';
import { common } from './common.es';
import { data } from './data.es';
import { duplicates } from './duplicates.es';
import { evidence } from './evidence.es';
import { exporting } from './export.es';
import { guard } from './guard.es';
import { hours } from './hours.es';
import { overview } from './overview.es';
import { packs } from './packs.es';
import { planEdit } from './plan-edit.es';
import { plan } from './plan.es';
import { policiesEs } from './policies.es';
import { problemsEs } from './problems.es';
import { profile } from './profile.es';
import { requests } from './requests.es';
import { runs } from './runs.es';
import { settings } from './settings.es';
import { tell } from './tell.es';
import { totals } from './totals.es';
import { work } from './work.es';

export const spanish = {
  catalogues: {
    account,
    common,
    data,
    duplicates,
    evidence,
    exporting,
    guard,
    hours,
    overview,
    packs,
    planEdit,
    plan,
    profile,
    requests,
    runs,
    settings,
    tell,
    totals,
    work,
  },
  problems: problemsEs,
  policies: policiesEs,
} satisfies Language;
