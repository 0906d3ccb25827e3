import type { Same } from '@/i18n/language';
import type { packs as en } from './packs.en';

export const packs: Same<typeof en> = {
  title: 'Los paquetes, regla por regla',
  sub: 'El plan frente a las normas que nombra. dunlin comprueba lo que una máquina puede comprobar; no es asesoramiento jurídico.',
  none: 'El plan no nombra ningún paquete',
  noneText: 'Escriba packs = ["gdpr"] en [comply] del plan, o hipaa, sox, pci.',
  show: 'Mostrar',
  all: 'Todas',
  open: 'Abiertas',
  states: { violated: 'Incumplida', needs_person: 'Requiere a una persona', waived: 'Dispensada', satisfied: 'Cumplida', not_applicable: 'No aplicable' },
  rule: 'Regla',
  article: 'Artículo',
  state: 'Estado',
  why: 'Por qué, y dónde',
  mend: 'Cómo remediarlo',
  evidence: 'Prueba',
  nothing: 'Ninguna regla está en este estado.',
  ledger: 'registro',
  waivedBy: (by, until) => (until ? `Dispensada por ${by} hasta ${until}` : `Dispensada por ${by}`),
  lists: (list, day) => `${list}: al ${day}`,
};
