import { Sparkles, X } from 'lucide-react';
import { Button, Form, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { type RunProgress, timeLeftText } from '../state/progress';
import type { Kind } from '../state/settings';
import { AdvancedSettings } from './AdvancedSettings';
import { CountField, SamplingField } from './ChoiceFields';
import { PromptField } from './PromptField';
import { SeedField } from './SeedField';
import { SourceField } from './SourceField';

/** The settings of the next run, with a tab for each kind. */
export function GenerationForm() {
  const { form, server, start } = useAppState();
  const { karlo } = server.model ?? {};
  return (
    <Tabs
      className="generation-form"
      selectedKey={form.settings.kind}
      onSelectionChange={(key) => form.change({ kind: key as Kind })}
    >
      <TabList aria-label="Mode" className="tabs">
        <Tab id="create" isDisabled={karlo?.text_to_image === false}>
          Create
        </Tab>
        <Tab id="vary" isDisabled={karlo?.image_variation === false}>
          Vary
        </Tab>
      </TabList>
      {(['create', 'vary'] as const).map((kind) => (
        <TabPanel key={kind} id={kind}>
          <Form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              start();
            }}
          >
            {kind === 'create' ? <PromptField /> : <SourceField />}
            <CountField />
            <SamplingField />
            <SeedField />
            <AdvancedSettings />
            <Actions />
          </Form>
        </TabPanel>
      ))}
    </Tabs>
  );
}

/** Two buttons with different keys: if React reused one, the click that cancels would submit the form. */
function Actions() {
  const { form, ready, progress, cancel } = useAppState();
  const { kind } = form.settings;
  return (
    <div className="form-actions">
      {progress && <RunStatus progress={progress} />}
      {progress ? (
        <Button key="cancel" className="button" onPress={cancel}>
          <X aria-hidden size={18} />
          Cancel
        </Button>
      ) : (
        <Button key="start" type="submit" className="button primary" isDisabled={!ready}>
          <Sparkles aria-hidden size={18} />
          {kind === 'create' ? 'Create' : 'Vary'}
        </Button>
      )}
    </div>
  );
}

/** How many images are ready, and the time left. */
function RunStatus({ progress: { runId, secondsLeft } }: { progress: RunProgress }) {
  const { images = [] } = useAppState().history.runs.find(({ id }) => id === runId) ?? {};
  const ready = images.filter(Boolean).length;
  return (
    <p className="hint run-status">
      <span>{`${ready} of ${images.length} ready`}</span>
      {secondsLeft !== undefined && <span>{timeLeftText(secondsLeft)}</span>}
    </p>
  );
}
