// What a key means in the grid. Pure, so that it can be tested without a browser.
import type { Move } from './range';

export interface Key {
  key: string;
  ctrl: boolean;
  shift: boolean;
  alt: boolean;
}

export type Act =
  | { do: 'move'; move: Move; extend: boolean }
  | { do: 'tab'; back: boolean }
  | { do: 'edit'; text: string | null }
  | { do: 'enter' }
  | { do: 'clear' }
  | { do: 'fillDown' }
  | { do: 'undo' }
  | { do: 'redo' }
  | { do: 'all' }
  | { do: 'row' }
  | { do: 'toggle' }
  | { do: 'escape' };

const PLAIN: Record<string, Move> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  PageUp: 'pageUp',
  PageDown: 'pageDown',
  Home: 'rowStart',
  End: 'rowEnd',
};

const FAR: Record<string, Move> = {
  ArrowUp: 'top',
  ArrowDown: 'bottom',
  ArrowLeft: 'farLeft',
  ArrowRight: 'farRight',
  Home: 'first',
  End: 'last',
};

export function actOf({ key, ctrl, shift, alt }: Key): Act | null {
  if (alt) return null;
  const move = ctrl ? FAR[key] : PLAIN[key];
  if (move) return { do: 'move', move, extend: shift };
  if (ctrl) {
    const letter = key.toLowerCase();
    if (letter === 'd') return { do: 'fillDown' };
    if (letter === 'a') return { do: 'all' };
    if (letter === 'y' || (letter === 'z' && shift)) return { do: 'redo' };
    if (letter === 'z') return { do: 'undo' };
    return null;
  }
  if (key === 'Tab') return { do: 'tab', back: shift };
  if (key === 'Enter') return shift ? { do: 'row' } : { do: 'enter' };
  if (key === 'F2') return { do: 'edit', text: null };
  if (key === 'Delete' || key === 'Backspace') return { do: 'clear' };
  if (key === 'Escape') return { do: 'escape' };
  if (key === ' ') return shift ? { do: 'row' } : { do: 'toggle' };
  // One printed character starts an edit; names of keys are longer.
  return [...key].length === 1 ? { do: 'edit', text: key } : null;
}
