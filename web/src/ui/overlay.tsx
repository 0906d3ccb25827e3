// What lies above the page: dialogs, drawers (native <dialog>: focus stays inside, Esc closes) and menus.
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Button, type ButtonProps } from './basic';
import { Icon, type IconName } from './icons';

interface Above { title: string; onClose: () => void; children: ReactNode; wide?: boolean }

function useModal(onClose: () => void) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement as HTMLElement | null;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // A form begins at its first field, or at the one that says so, not at the button that closes it.
      (dialog.querySelector<HTMLElement>('[data-first]') ?? dialog.querySelector<HTMLElement>('form .dialog-body :is(input, select, textarea)'))?.focus();
    }
    return () => { if (dialog?.open) dialog.close(); before?.focus?.(); };
  }, []);
  const props = {
    ref,
    onCancel: (event: { preventDefault: () => void; target: unknown }) => {
      if (event.target !== ref.current) return;
      event.preventDefault();
      onClose();
    },
    onMouseDown: (event: { target: unknown }) => { if (event.target === ref.current) onClose(); },
  };
  return props;
}

/** A question or a short form in the middle. With `onSubmit` its body is a form and Enter sends it. */
export function Dialog({ title, onClose, children, wide, foot, onSubmit }: Above & { foot?: ReactNode; onSubmit?: () => void }): ReactElement {
  const t = useMessages(common);
  const id = useId();
  const modal = useModal(onClose);
  const inside = (
    <>
      <div className="dialog-head"><h2 id={id}>{title}</h2><Button kind="quiet" iconOnly icon="close" aria-label={t.close} onClick={onClose} /></div>
      <div className="dialog-body">{children}</div>
      {foot && <div className="dialog-foot">{foot}</div>}
    </>
  );
  const submit = (event: FormEvent) => { event.preventDefault(); event.stopPropagation(); onSubmit?.(); };
  return createPortal(
    <dialog {...modal} className={wide ? 'dialog wide' : 'dialog'} aria-labelledby={id}>
      {onSubmit ? <form onSubmit={submit} noValidate>{inside}</form> : <div>{inside}</div>}
    </dialog>, document.body);
}

/** One thing, opened at the side, with the page still there behind it. */
export function Drawer({ title, onClose, children, wide, actions }: Above & { actions?: ReactNode }): ReactElement {
  const t = useMessages(common);
  const id = useId();
  const modal = useModal(onClose);
  return createPortal(
    <dialog {...modal} className={wide ? 'drawer wide' : 'drawer'} aria-labelledby={id}>
      <div>
        <div className="dialog-head"><h2 id={id}>{title}</h2><div className="row push" style={{ flex: 'none' }}>{actions}<Button kind="quiet" iconOnly icon="close" aria-label={t.close} onClick={onClose} /></div></div>
        <div className="dialog-body">{children}</div>
      </div>
    </dialog>, document.body);
}

export interface MenuItem { label: string; icon?: IconName; danger?: boolean; disabled?: boolean; checked?: boolean; hint?: string; run: () => void }

/** A button that opens a list of things to do. `-` draws a line. */
export function Menu({ label, items, icon, iconOnly, ...button }: { label: string; items: readonly (MenuItem | '-')[]; icon?: IconName; iconOnly?: boolean } & Omit<ButtonProps, 'onClick'>): ReactElement {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLButtonElement>(null);
  const close = useCallback((back: boolean) => { setOpen(false); if (back) anchor.current?.focus(); }, []);
  return (
    <>
      <Button {...button} ref={anchor} icon={icon} iconOnly={iconOnly} aria-label={iconOnly ? label : undefined} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen((o) => !o)}
        onKeyDown={(e) => { if (e.key === 'ArrowDown' && !open) { e.preventDefault(); setOpen(true); } }}>
        {label}<Icon name="down" />
      </Button>
      {open && <MenuList anchor={anchor.current} items={items} label={label} close={close} />}
    </>
  );
}

/** The list of a menu, placed under what opened it. */
export function MenuList({ anchor, items, label, close }: { anchor: HTMLElement | null; items: readonly (MenuItem | '-')[]; label: string; close: (back: boolean) => void }): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  // Inside a modal dialog what lies outside it cannot be reached, so the list goes in there.
  const host = anchor?.closest('dialog') ?? document.body;
  useLayoutEffect(() => {
    const list = ref.current;
    if (!list || !anchor) return;
    const at = anchor.getBoundingClientRect();
    const size = list.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.right - size.width > 8 && at.left + size.width > innerWidth - 8 ? at.right - size.width : at.left, innerWidth - size.width - 8));
    const below = at.bottom + 4;
    list.style.left = `${left}px`;
    list.style.top = `${below + size.height > innerHeight - 8 ? Math.max(8, at.top - size.height - 4) : below}px`;
    list.querySelector<HTMLElement>('[role^=menuitem]:not([aria-disabled=true])')?.focus();
  }, [anchor]);
  useEffect(() => {
    const outside = (event: Event) => { if (!ref.current?.contains(event.target as Node) && !anchor?.contains(event.target as Node)) close(false); };
    const away = () => close(false);
    document.addEventListener('pointerdown', outside);
    window.addEventListener('resize', away);
    return () => { document.removeEventListener('pointerdown', outside); window.removeEventListener('resize', away); };
  }, [anchor, close]);
  const onKey = (event: KeyboardEvent) => {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = (to: number) => { event.preventDefault(); all[(to + all.length) % all.length]?.focus(); };
    if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(all.length - 1);
    else if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); close(true); }
    else if (event.key === 'Tab') close(false);
    else if (event.key.length === 1) {
      const next = [...all.slice(at + 1), ...all].find((one) => one.textContent?.toLowerCase().startsWith(event.key.toLowerCase()));
      next?.focus();
    }
  };
  return createPortal(
    <div ref={ref} className="popover" role="menu" aria-label={label} onKeyDown={onKey}>
      {items.map((item, i) => item === '-' ? <hr key={i} /> : (
        <button key={item.label} type="button" tabIndex={-1} role={item.checked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={item.checked} aria-disabled={item.disabled}
          className={item.danger ? 'danger' : undefined} onClick={() => { if (item.disabled) return; close(true); item.run(); }}>
          {item.icon && <Icon name={item.icon} />}<span>{item.label}</span>
          {item.checked && <span className="push"><Icon name="check" /></span>}
          {item.hint && <span className="push small muted">{item.hint}</span>}
        </button>
      ))}
    </div>, host);
}
