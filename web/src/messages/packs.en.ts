import { catalogue } from '@/i18n/language';

export const packs = catalogue('packs', {
  title: 'The packs, rule by rule',
  sub: 'The plan held against the regulations that it names. dunlin checks what a machine can check; this is no legal advice.',
  none: 'The plan names no pack',
  noneText: 'Write packs = ["gdpr"] under [comply] in the plan, or hipaa, sox, pci.',
  show: 'Show',
  all: 'All',
  open: 'Open',
  states: { violated: 'Violated', needs_person: 'Needs a person', waived: 'Waived', satisfied: 'Satisfied', not_applicable: 'Not applicable' } as Record<string, string>,
  rule: 'Rule',
  article: 'Article',
  state: 'State',
  why: 'Why, and where',
  mend: 'How to mend it',
  evidence: 'Evidence',
  nothing: 'No rule is in this state.',
  ledger: 'ledger',
  waivedBy: (by: string, until: string) => (until ? `Waived by ${by} until ${until}` : `Waived by ${by}`),
  lists: (list: string, day: string) => `${list}: as of ${day}`,
});
