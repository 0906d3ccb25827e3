// The text editor. It lives in a shadow root: there its styles are sheets that the page's security policy allows, and
// where the page's own do not reach.
import { autocompletion, completionKeymap, type CompletionContext } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, syntaxHighlighting, type Language } from '@codemirror/language';
import { toml } from '@codemirror/legacy-modes/mode/toml';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';
import type { Finding } from '@/api/client';
import { complete, type Schema } from './words';

export interface EditorHandle { replace: (text: string) => void; goTo: (line: number) => void }

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--success)' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--info)' },
  { tag: [tags.atom, tags.number, tags.bool], color: 'var(--accent)' },
  { tag: tags.heading, color: 'var(--accent)', fontWeight: '600' },
]);

const look = EditorView.theme({
  '&': { fontSize: '13px', maxHeight: 'calc(100dvh - 250px)', minHeight: '420px', backgroundColor: 'var(--surface)', color: 'var(--ink)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', overflow: 'auto' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--hover) 45%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-tint)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--hover)', color: 'var(--ink)' },
  // In the place of the library's pictures, which are data: addresses and not allowed here.
  '.cm-lintRange': { backgroundImage: 'none !important', textDecoration: 'underline wavy 1px', textDecorationSkipInk: 'none' },
  '.cm-lintRange-error': { textDecorationColor: 'var(--danger)' },
  '.cm-lintRange-warning': { textDecorationColor: 'var(--warning)' },
  '.cm-lintRange-info': { textDecorationColor: 'var(--info)' },
  '.cm-lint-marker': { content: 'normal !important', width: '8px', height: '8px', borderRadius: '50%', marginTop: '6px' },
  '.cm-lint-marker-error': { backgroundColor: 'var(--danger)' },
  '.cm-lint-marker-warning': { backgroundColor: 'var(--warning)', borderRadius: '0' },
  '.cm-lint-marker-info': { backgroundColor: 'var(--info)' },
  '.cm-diagnostic': { fontFamily: 'var(--sans)', fontSize: '13px' },
});

const completions = (schema: () => Schema | undefined) => (context: CompletionContext) => {
  const known = schema();
  const found = known && complete(context.state.sliceDoc(0, context.pos), known);
  if (!found || (!context.explicit && found.from === context.pos)) return null;
  return { from: found.from, options: found.words.map((w) => ({ label: w.label, type: 'keyword', info: w.about })), validFor: /^[\w.]*$/ };
};

function diagnostics(state: EditorState, findings: readonly Finding[]): Diagnostic[] {
  return findings.filter((f) => f.line && f.line <= state.doc.lines).map((f) => {
    const line = state.doc.line(f.line as number);
    const from = Math.min(line.to, line.from + Math.max(0, (f.col ?? 1) - 1));
    return { from, to: line.to, severity: f.level, message: f.help ? `${f.message}. ${f.help}` : f.message };
  });
}

const plan = StreamLanguage.define(toml);

/** The editor. It is of a plan, unless another `language` is given; `prose` wraps its lines. */
export function Editor({ ref, label, value, line, findings, schema, language = plan, prose = false, readOnly = false, onChange, onSave }: {
  ref?: Ref<EditorHandle>; label: string; value: string; line?: number; findings: readonly Finding[]; schema?: Schema; language?: Language; prose?: boolean; readOnly?: boolean; onChange: (text: string) => void; onSave: () => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const calls = useRef({ onChange, onSave, schema });
  useEffect(() => { calls.current = { onChange, onSave, schema }; });
  const first = useRef({ value, label, line, language, prose, readOnly });
  useEffect(() => {
    const box = host.current;
    if (!box) return undefined;
    const root = box.shadowRoot ?? box.attachShadow({ mode: 'open' });
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: first.current.value,
        extensions: [
          lineNumbers(), history(), drawSelection(), highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), lintGutter(),
          first.current.language, first.current.prose ? EditorView.lineWrapping : [], EditorState.readOnly.of(first.current.readOnly), syntaxHighlighting(colours), autocompletion({ override: [completions(() => calls.current.schema)] }), look,
          EditorView.contentAttributes.of({ 'aria-label': first.current.label, 'aria-multiline': 'true', tabindex: '0' }),
          keymap.of([{ key: 'Mod-s', preventDefault: true, run: () => { calls.current.onSave(); return true; } }, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.updateListener.of((update) => { if (update.docChanged) calls.current.onChange(update.state.doc.toString()); }),
        ],
      }),
    });
    view.current = made;
    if (first.current.line) goTo(made, first.current.line);
    return () => { made.destroy(); view.current = null; };
  }, []);
  useEffect(() => {
    const now = view.current;
    if (now) now.dispatch(setDiagnostics(now.state, diagnostics(now.state, findings)));
  }, [findings]);
  useImperativeHandle(ref, () => ({
    replace: (text) => { const now = view.current; if (now) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: text } }); },
    goTo: (n) => { if (view.current) goTo(view.current, n); },
  }), []);
  return <div ref={host} className="editor" data-keys="own" />;
}

function goTo(view: EditorView, n: number): void {
  if (n < 1 || n > view.state.doc.lines) return;
  const at = view.state.doc.line(n);
  view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: 'center' }) });
  view.focus();
}
