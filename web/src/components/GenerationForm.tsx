import { Sparkles, X } from 'lucide-react';
import { Button, Form, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { canRun, useAppState } from '../state/app-state';
import { timeLeftText } from '../state/progress';
import { isPending, requestedOf } from '../state/runs';
import { type Kind, kindLabels, kinds } from '../state/settings';
import { AdvancedSettings } from './AdvancedSettings';
import { CandidatesField, CountField, DraftsField, SamplingField } from './ChoiceFields';
import { EditFields } from './EditFields';
import { InterpolateFields } from './InterpolateFields';
import { MixFields } from './MixFields';
import { PromptField } from './PromptField';
import { SeedField } from './SeedField';
import { SourceField } from './SourceField';

/** The settings of the next run, with a tab for each kind. */
export function GenerationForm() {
  const { form, server, start } = useAppState();
  const { model } = server;
  return (
    <Tabs
      className="generation-form"
      selectedKey={form.settings.kind}
      onSelectionChange={(key) => form.change({ kind: key as Kind })}
    >
      <TabList aria-label="Mode" className="tabs">
        {kinds.map((kind) => (
          <Tab key={kind} id={kind} isDisabled={model !== undefined && !canRun(kind, model)}>
            {kindLabels[kind]}
          </Tab>
        ))}
      </TabList>
      {kinds.map((kind) => (
        <TabPanel key={kind} id={kind}>
          <Form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              start();
            }}
          >
            <TabFields kind={kind} />
            {kind !== 'interpolate' && <CountField />}
            <SamplingField />
            <DraftsField />
            <CandidatesField />
            <SeedField />
            <AdvancedSettings />
            <Actions />
          </Form>
        </TabPanel>
      ))}
    </Tabs>
  );
}

function TabFields({ kind }: { kind: Kind }) {
  if (kind === 'create') return <PromptField />;
  if (kind === 'mix') return <MixFields />;
  if (kind === 'interpolate') return <InterpolateFields />;
  return kind === 'edit' ? <EditFields /> : <SourceField kind={kind} />;
}

/** The button that starts a run. While one works, the next one waits for it. */
function Actions() {
  const { form, missing, progress } = useAppState();
  const isWorking = Object.keys(progress).length > 0;
  return (
    <div className="form-actions">
      {isWorking && <RunStatus />}
      {missing !== undefined && <p className="hint">{missing}</p>}
      <Button type="submit" className="button primary" isDisabled={missing !== undefined}>
        <Sparkles aria-hidden size={18} />
        {kindLabels[form.settings.kind]}
      </Button>
    </div>
  );
}

/** How many images of the run that works are ready, the time left, and a button to cancel it. */
function RunStatus() {
  const { history, progress, cancel } = useAppState();
  const inProgress = history.runs.filter(({ id }) => progress[id] !== undefined);
  // Drafts of an earlier run are finished after the run that works.
  const working = inProgress.find(({ id }) => progress[id]?.sent) ?? inProgress.at(-1);
  if (working === undefined) return null;
  const { secondsLeft } = progress[working.id] ?? {};
  const requested = requestedOf(working);
  const ready = requested.filter((index) => !isPending(working, index)).length;
  const waiting = inProgress.length - 1;
  return (
    <div className="run-status">
      <p className="hint">
        <span>{`${ready} of ${requested.length} ready`}</span>
        {secondsLeft !== undefined && <span>{timeLeftText(secondsLeft)}</span>}
        {waiting > 0 && <span>{`${waiting} waiting`}</span>}
      </p>
      <Button className="button small" onPress={() => cancel(working.id)}>
        <X aria-hidden size={17} />
        Cancel
      </Button>
    </div>
  );
}
