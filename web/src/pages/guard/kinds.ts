// What a ledger entry says, in words.
import type { Entry } from '@/api/types';
import { num } from '@/i18n/format';
import { lang } from '@/i18n';

/** Kinds by what they are about, for the filter. */
export const KIND_GROUPS: Record<string, readonly string[]> = {
  data: ['access_opened', 'access_rows', 'access_closed', 'access_denied', 'outside_seen'],
  people: ['person_added', 'person_changed', 'person_blocked', 'person_unblocked', 'person_noted', 'credential_changed', 'signed_in', 'sign_in_refused', 'session_ended', 'invited', 'invitation_accepted', 'invitation_withdrawn', 'token_issued', 'token_revoked'],
  plan: ['plan_edited', 'plan_approved', 'approval_voided', 'window_overridden', 'packs_checked', 'rule_waived', 'waiver_withdrawn'],
  runs: ['run_started', 'run_resumed', 'run_paused', 'run_retried', 'run_finished', 'run_abandoned', 'split_loaded', 'split_amended', 'table_reconciled', 'verified', 'undone', 'enriched', 'quarantine_decided', 'duplicates_matched', 'duplicate_decided', 'totals_compared', 'copy_examined', 'copy_grouped', 'target_finished'],
  guard: ['grant_opened', 'grant_agreed', 'grant_closed', 'policy_changed', 'alert_raised', 'alert_closed'],
  notices: ['notice_submitted', 'notice_approved', 'notice_published', 'notice_overridden', 'notice_withdrawn', 'notice_answered', 'notice_skipped'],
  ledger: ['ledger_created', 'ledger_read', 'ledger_exported', 'ledger_key_changed', 'keys_rotated', 'report_written', 'shredded', 'server_started', 'server_stopped'],
};

const COUNTED: Record<string, [string, string]> = { source_rows: ['read', 'leídas'], loaded: ['loaded', 'cargadas'], quarantined: ['quarantined', 'en cuarentena'], merged: ['merged', 'fusionadas'], excluded: ['excluded', 'excluidas'], erased: ['erased', 'borradas'] };
type Counts = Record<string, number>;
const text = (v: unknown): string => (typeof v === 'string' ? v : typeof v === 'number' ? num(v) : '');
const counts = (v: unknown): string => Object.entries((v ?? {}) as Counts).filter(([, n]) => typeof n === 'number' && n !== 0).map(([k, n]) => `${num(n)} ${COUNTED[k]?.[lang() === 'es' ? 1 : 0] ?? k}`).join(', ');

/** The entry's kind as words: `run_started` is "run started". */
export function kindWords(kind: string): string {
  return (lang() === 'es' ? ES[kind] : undefined) ?? kind.replaceAll('_', ' ');
}

/** The few facts of an entry that a line has room for. */
export function detail(entry: Entry, name: (id: string) => string): string {
  const b = entry.body;
  const parts: string[] = [];
  if (typeof b.person === 'string') parts.push(name(b.person));
  if (typeof b.table === 'string' && b.table) parts.push(b.table);
  else if (typeof b.store === 'string') parts.push(b.store);
  if (b.counts) parts.push(counts(b.counts));
  if (b.counts_delta) parts.push(counts(b.counts_delta));
  for (const key of ['rows', 'count', 'entries', 'connections'] as const) if (typeof b[key] === 'number') parts.push(num(b[key] as number));
  for (const key of ['role', 'change', 'credential', 'method', 'reason_code', 'action', 'decision', 'rule', 'severity', 'purpose_category', 'reason_category', 'version'] as const) if (b[key]) parts.push(text(b[key]).replaceAll('_', ' '));
  if (typeof b.reconciled === 'boolean') parts.push(b.reconciled ? '✓' : '≠');
  if (typeof b.agree === 'boolean') parts.push(b.agree ? '✓' : '≠');
  if (typeof b.fingerprint === 'string') parts.push(b.fingerprint.slice(0, 8));
  return parts.join(' · ');
}

const ES: Record<string, string> = {
  access_opened: 'acceso abierto', access_rows: 'filas leídas', access_closed: 'acceso cerrado', access_denied: 'acceso rechazado', outside_seen: 'conexión ajena vista',
  person_added: 'persona añadida', person_changed: 'persona cambiada', person_blocked: 'persona bloqueada', person_unblocked: 'persona desbloqueada', person_noted: 'nota escrita',
  credential_changed: 'credencial cambiada', signed_in: 'sesión iniciada', sign_in_refused: 'entrada rechazada', session_ended: 'sesión cerrada', invited: 'invitación enviada',
  invitation_accepted: 'invitación aceptada', invitation_withdrawn: 'invitación retirada', token_issued: 'token emitido', token_revoked: 'token retirado',
  plan_edited: 'plan editado', plan_approved: 'plan aprobado', approval_voided: 'aprobación retirada', window_overridden: 'ventana omitida',
  run_started: 'carga iniciada', run_resumed: 'carga reanudada', run_paused: 'carga en pausa', run_retried: 'carga intentada de nuevo', run_finished: 'carga terminada', run_abandoned: 'carga abandonada',
  split_loaded: 'tramo cargado', split_amended: 'tramo corregido', table_reconciled: 'tabla cuadrada', verified: 'verificado', undone: 'retirado', enriched: 'enriquecido',
  quarantine_decided: 'cuarentena decidida', duplicates_matched: 'duplicados buscados', duplicate_decided: 'par de duplicados decidido', target_finished: 'destino cerrado', grant_opened: 'permiso abierto', grant_agreed: 'permiso respaldado', grant_closed: 'permiso cerrado',
  policy_changed: 'política cambiada', alert_raised: 'alerta', alert_closed: 'alerta cerrada', ledger_created: 'registro creado', ledger_read: 'registro leído',
  ledger_exported: 'registro exportado', ledger_key_changed: 'clave del registro cambiada', keys_rotated: 'claves rotadas', report_written: 'informe escrito',
  shredded: 'destruido', server_started: 'servidor arrancado', server_stopped: 'servidor parado', work_changed: 'tareas cambiadas', notice_submitted: 'aviso entregado', notice_approved: 'aviso aprobado', notice_published: 'aviso publicado', notice_overridden: 'reparo al aviso apartado', notice_withdrawn: 'aviso retirado', notice_answered: 'respuesta a un aviso', notice_skipped: 'traslado sin aviso', step_confirmed: 'paso confirmado',
  totals_compared: 'totales de control comparados', copy_examined: 'copia examinada', copy_grouped: 'filas parecidas de la copia contadas',
  packs_checked: 'paquetes comprobados', rule_waived: 'regla dispensada', waiver_withdrawn: 'dispensa retirada',
  step_withdrawn: 'paso retirado', table_seen: 'tabla vista', rehearsed: 'ensayado', table_profiled: 'tabla perfilada', quarantine_seen: 'cuarentena vista', message_sent: 'mensaje enviado', deliveries_settled: 'entregas resueltas',
};
