// The dialogs of Work, one at a time; loaded when the first of them opens.
import type { ReactElement } from 'react';
import type { Settings } from '../settings';
import { ExportDialog } from './Export';
import { FieldsDialog } from './Fields';
import { ForecastDialog } from './Forecast';
import { ImportDialog } from './Import';
import { NewTask } from './NewTask';
import { QuestionsDialog } from './Questions';
import { BlackoutsDialog, DraftDialog, FeedDialog, TemplatesDialog, WebhooksDialog } from './small';

export type DialogName = 'new' | 'forecast' | 'questions' | 'import' | 'export' | 'templates' | 'draft' | 'fields' | 'feed' | 'webhooks' | 'blackouts';

export interface DialogProps {
  settings: Settings;
  onClose: () => void;
  onOpen: (task: string) => void;
}

const ALL: Record<DialogName, (props: DialogProps) => ReactElement> = {
  new: NewTask,
  forecast: ForecastDialog,
  questions: QuestionsDialog,
  import: ImportDialog,
  export: ExportDialog,
  templates: TemplatesDialog,
  draft: DraftDialog,
  fields: FieldsDialog,
  feed: FeedDialog,
  webhooks: WebhooksDialog,
  blackouts: BlackoutsDialog,
};

export function Dialogs({ name, ...props }: DialogProps & { name: DialogName }): ReactElement {
  const One = ALL[name];
  return <One {...props} />;
}
