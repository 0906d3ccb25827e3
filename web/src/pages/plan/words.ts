// The words of the plan file for completion: tables, their keys, kinds and other closed lists.

const kinds = ['person_name', 'given_name', 'family_name', 'email', 'phone', 'postal_address', 'city', 'postcode', 'country', 'birth_date', 'age', 'gender', 'us_ssn', 'national_id', 'tax_id', 'passport', 'driving_licence', 'card_number', 'iban', 'bic', 'account_number', 'ip_address', 'mac_address', 'url', 'device_id', 'geo', 'health_code', 'special_category', 'credential', 'free_text'];

/** Headings, as they stand in brackets. */
export const SECTIONS = ['plan', 'company', 'subject', 'window', 'comply', 'ledger'];
export const ARRAYS = ['person', 'table', 'table.rule', 'table.enrich', 'comply.waiver', 'notice'];
export const TABLE_SECTIONS = ['table.columns', 'table.drop', 'table.duplicates'];

/** The keys of each heading. */
export const KEYS: Record<string, readonly string[]> = {
  plan: ['name', 'summary'],
  company: ['name', 'logo', 'colour', 'contact'],
  store: ['url', 'region', 'protected', 'processor'],
  subject: ['table', 'id', 'email', 'locale'],
  person: ['name', 'email', 'role', 'organisation'],
  window: ['days', 'from', 'to', 'zone', 'source_load'],
  comply: ['packs', 'controller', 'dpia'],
  'comply.waiver': ['rule', 'reason', 'by', 'until'],
  table: ['from', 'to', 'key', 'purpose', 'basis', 'retain', 'where', 'subject', 'into', 'replace'],
  'table.rule': ['name', 'check', 'otherwise'],
  'table.duplicates': ['match', 'above', 'review', 'survivor'],
  'table.enrich': ['from', 'on', 'add', 'when'],
  notice: ['file', 'audience', 'publish'],
  ledger: ['verifier'],
};

/** The values of keys that take one of a list. */
export const VALUES: Record<string, readonly string[]> = {
  role: ['owner', 'lead', 'engineer', 'steward', 'writer', 'approver', 'auditor', 'guest'],
  otherwise: ['quarantine', 'exclude', 'fix', 'stop', 'warn'],
  when: ['during', 'after'],
  into: ['append'],
  protect: ['mask', 'hash', 'encrypt', 'tokenise'],
  basis: ['consent', 'contract', 'legal_obligation', 'vital_interests', 'public_task', 'legitimate_interests'],
  packs: ['gdpr', 'hipaa', 'sox', 'pci'],
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  clean: ['trim', 'email', 'phone', 'name', 'date', 'number', 'country'],
  kind: kinds,
};

/** What may stand where the cursor is. */
export function complete(before: string): { from: number; words: string[]; quoted: boolean } | null {
  const start = before.lastIndexOf('\n') + 1;
  const line = before.slice(start);
  const heading = line.match(/^\s*\[{1,2}([\w.]*)$/);
  if (heading) {
    const typed = heading[1] ?? '';
    return { from: before.length - typed.length, words: line.includes('[[') ? ARRAYS : [...SECTIONS, 'store.', ...TABLE_SECTIONS], quoted: false };
  }
  const value = line.match(/(\w+)\s*=\s*(?:\[[^\]]*)?"?([\w]*)$/);
  if (value && VALUES[value[1] ?? '']) {
    const typed = value[2] ?? '';
    return { from: before.length - typed.length, words: [...(VALUES[value[1] ?? ''] ?? [])], quoted: before[before.length - typed.length - 1] === '"' };
  }
  const section = [...before.slice(0, start).matchAll(/^\s*\[{1,2}([\w.]+)\]{1,2}/gm)].pop()?.[1] ?? '';
  const inline = line.match(/\{[^}]*?(?:^|[{,]\s*)(\w*)$/);
  if (section === 'table.columns' && inline) {
    const typed = inline[1] ?? '';
    return { from: before.length - typed.length, words: ['sql', 'from', 'clean', 'kind', 'protect', 'formats', 'region'], quoted: true };
  }
  const key = line.match(/^\s*(\w*)$/);
  if (key) {
    const known = KEYS[section] ?? (section.startsWith('store.') ? KEYS.store : undefined);
    if (known) return { from: before.length - (key[1] ?? '').length, words: [...known], quoted: true };
  }
  return null;
}
