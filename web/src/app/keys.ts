// Shortcuts of the whole app: the palette, the help sheet, `g` and a letter. They keep out of the way of typing.
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { PLACES } from './places';

/** Whether a key belongs to what has the focus (a field, a grid that is being edited). */
export function isTyping(target: EventTarget | null): boolean {
  const el = target instanceof HTMLElement ? target : null;
  return Boolean(el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) || el.closest('[data-keys="own"]')));
}

/** Listens while the shell is shown. */
export function useShortcuts({ openPalette, openHelp }: { openPalette: () => void; openHelp: () => void }): void {
  const navigate = useNavigate();
  useEffect(() => {
    let going = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') { event.preventDefault(); openPalette(); return; }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (Date.now() - going < 1500) {
        going = 0;
        const place = PLACES.find((p) => p.letter === event.key);
        if (place) { event.preventDefault(); void navigate({ to: place.to }); }
        return;
      }
      if (event.key === 'g') going = Date.now();
      else if (event.key === '?') { event.preventDefault(); openHelp(); }
      else if (event.key === '/') { event.preventDefault(); openPalette(); }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate, openPalette, openHelp]);
}
