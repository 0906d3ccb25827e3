// The messages that the shell and the shared components need. A page imports its own.
import { common as commonEn } from './common.en';
import { common as commonEs } from './common.es';

export const en = { common: commonEn };
export const es = { common: commonEs };
export const common = { en: commonEn, es: commonEs };
