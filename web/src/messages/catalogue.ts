// The messages that the shell and the shared components need. A page imports its own.
export { common } from './common.en';
