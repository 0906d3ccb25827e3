// Codes of the server in words: reasons for quarantine, statuses, roles. A code without words is shown as it is.
import { useLang, type Lang } from '@/i18n';

const reasons: Record<string, [string, string]> = {
  'parent-quarantined': ['their parent row waits', 'su fila padre espera'],
  'foreign-key': ['they refer to a row that is not there', 'remiten a una fila que no está'],
  'wrong-type': ['the value does not fit its type', 'el valor no es de su tipo'],
  'expression-failed': ['the value could not be computed', 'el valor no se pudo calcular'],
  'invalid-encoding': ['the text is damaged', 'el texto está dañado'],
  'too-few-fields': ['the line has too few fields', 'la línea tiene campos de menos'],
  'too-many-fields': ['the line has too many fields', 'la línea tiene campos de más'],
  'duplicate-key': ['their key exists already', 'su clave ya existe'],
  'not-null': ['a value is missing', 'falta un valor'],
  unique: ['a value that must be unique occurs twice', 'un valor único está repetido'],
  check: ['the target’s own check refuses it', 'lo rechaza una restricción del destino'],
  'too-long': ['the text is too long', 'el texto es demasiado largo'],
  retain: ['the plan keeps them no longer', 'el plan ya no las guarda'],
  where: ['the plan leaves them out', 'el plan las deja fuera'],
  'out-of-range': ['the number is out of range', 'el número está fuera de rango'],
};
const statuses: Record<string, [string, string]> = {
  running: ['running', 'en marcha'], waiting: ['waits for its window', 'espera su ventana'], paused: ['paused', 'en pausa'],
  stopped: ['stopped', 'detenida'], done: ['done', 'terminada'], abandoned: ['abandoned', 'abandonada'], failed: ['failed', 'fallida'],
  load: ['loads', 'carga'], held: ['waits: the source is busy', 'espera: el origen está ocupado'], retry: ['goes on in a moment', 'sigue en un momento'], settle: ['settles keys', 'ajusta claves'], reconcile: ['reconciles', 'cuadra'], undo: ['takes back', 'retira'], verify: ['verifies', 'verifica'],
  active: ['active', 'activa'], invited: ['invited', 'invitada'], blocked: ['blocked', 'bloqueada'], left: ['left', 'se fue'],
};
const roles: Record<string, [string, string]> = {
  owner: ['owner', 'propietario'], lead: ['lead', 'responsable'], engineer: ['engineer', 'ingeniería'], steward: ['steward', 'custodia de datos'],
  writer: ['writer', 'redacción'], approver: ['approver', 'aprobación'], auditor: ['auditor', 'auditoría'], guest: ['guest', 'invitado'],
};

const say = (table: Record<string, [string, string]>, code: string, lang: Lang) => table[code]?.[lang === 'es' ? 1 : 0] ?? code.replace(/[-_]/g, ' ');

/** Words for codes, in the reader's language. */
export function useWords() {
  const lang = useLang();
  return {
    reason: (code: string) => (code.startsWith('rule:') ? `${lang === 'es' ? 'regla' : 'rule'} “${code.slice(5)}”` : say(reasons, code, lang)),
    status: (code: string) => say(statuses, code, lang),
    role: (code: string) => say(roles, code, lang),
  };
}

export const ROLES = Object.keys(roles);
