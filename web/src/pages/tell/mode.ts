// How a notice is coloured while it is written: TOML between the two `+++`, Markdown below.
import { StreamLanguage, type StreamParser } from '@codemirror/language';
import { toml } from '@codemirror/legacy-modes/mode/toml';

interface State { fences: number; toml: unknown }

const parser: StreamParser<State> = {
  name: 'notice',
  startState: (unit) => ({ fences: 0, toml: toml.startState?.(unit) }),
  copyState: (state) => ({ fences: state.fences, toml: toml.copyState ? toml.copyState(state.toml) : { ...(state.toml as object) } }),
  token(stream, state) {
    if (stream.sol() && state.fences < 2 && stream.match(/^\+\+\+\s*$/)) { state.fences += 1; return 'comment'; }
    if (state.fences === 1) return toml.token(stream, state.toml);
    if (stream.sol() && stream.match(/^#{1,6} .*/)) return 'heading';
    if (stream.sol() && stream.match(/^\s*(?:[-*+]|\d+\.) /)) return 'atom';
    if (stream.match(/^\[\[question:[^\]]*\]\]/)) return 'atom';
    if (stream.match(/^!?\[[^\]]*\]\([^)]*\)/)) return 'string';
    if (stream.match(/^\*\*[^*]+\*\*/)) return 'propertyName';
    stream.next();
    stream.eatWhile(/[^[*!\n]/);
    return null;
  },
};

export const noticeLanguage = StreamLanguage.define(parser);
