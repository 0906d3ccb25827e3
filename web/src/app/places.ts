// The places of the app: order, address, picture, and the letter that leads there after `g`.
import type { IconName } from '@/ui/icons';

export interface Place { key: 'overview' | 'work' | 'plan' | 'data' | 'runs' | 'guard' | 'tell' | 'evidence' | 'settings'; to: string; letter: string; icon: IconName; tucked: boolean }

/** `tucked` places lie under More on a phone. */
export const PLACES: readonly Place[] = [
  { key: 'overview', to: '/', letter: 'o', icon: 'overview', tucked: false },
  { key: 'work', to: '/work', letter: 'w', icon: 'work', tucked: false },
  { key: 'plan', to: '/plan', letter: 'p', icon: 'plan', tucked: true },
  { key: 'data', to: '/data', letter: 'd', icon: 'data', tucked: true },
  { key: 'runs', to: '/runs', letter: 'r', icon: 'runs', tucked: false },
  { key: 'guard', to: '/guard', letter: 'u', icon: 'guard', tucked: false },
  { key: 'tell', to: '/notices', letter: 't', icon: 'tell', tucked: true },
  { key: 'evidence', to: '/evidence', letter: 'e', icon: 'evidence', tucked: true },
  { key: 'settings', to: '/settings', letter: 's', icon: 'settings', tucked: true },
];
