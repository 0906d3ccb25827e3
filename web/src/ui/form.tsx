// Fields with their labels, hints and what is wrong with them.
import { useId, type InputHTMLAttributes, type ReactElement, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';

interface Around { label: string; hint?: ReactNode; wrong?: string | null; hideLabel?: boolean }

function Frame({ id, label, hint, wrong, hideLabel, children }: Around & { id: string; children: ReactNode }): ReactElement {
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? 'vh' : undefined}>{label}</label>
      {children}
      {wrong ? <span className="wrong" id={`${id}-w`}>{wrong}</span> : hint ? <span className="hint" id={`${id}-h`}>{hint}</span> : null}
    </div>
  );
}

const described = (id: string, hint?: ReactNode, wrong?: string | null) => (wrong ? `${id}-w` : hint ? `${id}-h` : undefined);

/** A line of text. */
export function Field({ label, hint, wrong, hideLabel, ...rest }: Around & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  const id = useId();
  return <Frame {...{ id, label, hint, wrong, hideLabel }}><input className="input" {...rest} id={id} aria-invalid={wrong ? true : undefined} aria-describedby={described(id, hint, wrong)} /></Frame>;
}

/** Several lines of text. */
export function Area({ label, hint, wrong, hideLabel, ...rest }: Around & TextareaHTMLAttributes<HTMLTextAreaElement>): ReactElement {
  const id = useId();
  return <Frame {...{ id, label, hint, wrong, hideLabel }}><textarea className="input" {...rest} id={id} aria-invalid={wrong ? true : undefined} aria-describedby={described(id, hint, wrong)} /></Frame>;
}

/** One of several. */
export function Choice({ label, hint, wrong, hideLabel, options, ...rest }: Around & { options: readonly { value: string; label: string }[] } & SelectHTMLAttributes<HTMLSelectElement>): ReactElement {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, wrong, hideLabel }}>
      <select className="input" {...rest} id={id} aria-describedby={described(id, hint, wrong)}>{options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}</select>
    </Frame>
  );
}

/** Yes or no. */
export function Check({ label, ...rest }: { label: ReactNode } & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  return <label className="check"><input type="checkbox" {...rest} /><span>{label}</span></label>;
}
