// A small panel under a button, for what is more than a menu and less than a dialog.
import { useEffect, useLayoutEffect, useRef, type ReactElement, type ReactNode } from 'react';
import { createPortal } from 'react-dom';

export function Pop({ anchor, label, onClose, children, width = 300 }: { anchor: HTMLElement | DOMRect | null; label: string; onClose: () => void; children: ReactNode; width?: number }): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  const host = (anchor instanceof HTMLElement ? anchor.closest('dialog') : null) ?? document.body;
  useLayoutEffect(() => {
    const panel = ref.current;
    if (!panel || !anchor) return;
    const at = anchor instanceof HTMLElement ? anchor.getBoundingClientRect() : anchor;
    const size = panel.getBoundingClientRect();
    panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    panel.style.top = `${at.bottom + 4 + size.height > innerHeight - 8 ? Math.max(8, innerHeight - size.height - 8) : at.bottom + 4}px`;
    panel.querySelector<HTMLElement>('input, select, button, [tabindex="0"]')?.focus();
  }, [anchor]);
  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!ref.current?.contains(target) && !(anchor instanceof HTMLElement && anchor.contains(target))) close.current();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [anchor]);
  return createPortal(
    <div
      ref={ref}
      className="popover panel"
      role="dialog"
      aria-label={label}
      style={{ width }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
        if (anchor instanceof HTMLElement) anchor.focus();
      }}
    >
      {children}
    </div>,
    host,
  );
}
