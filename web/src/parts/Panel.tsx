import { Sparkles, X } from 'lucide-react';
import { Button, Form, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import type { Work } from '../studio/runs';
import type { Kind } from '../studio/settings';
import { words } from '../studio/time-left';
import { useStudio } from '../studio/use-studio';
import { Advanced } from './Advanced';
import { CountField, SamplingField } from './choices';
import { PromptField } from './PromptField';
import { SeedField } from './SeedField';
import { SourceField } from './SourceField';

/** The form: what to make. */
export function Panel() {
  const { form, server, start } = useStudio();
  const { karlo } = server.model ?? {};
  return (
    <Tabs
      className="panel"
      selectedKey={form.settings.kind}
      onSelectionChange={(key) => form.change({ kind: key as Kind })}
    >
      <TabList aria-label="What to make" className="tabs">
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
            <Advanced />
            <Action />
          </Form>
        </TabPanel>
      ))}
    </Tabs>
  );
}

/** Two buttons, told apart by key: were it one, the click that cancels would go on to submit the form. */
function Action() {
  const { form, ready, work, cancel } = useStudio();
  const { kind } = form.settings;
  return (
    <div className="action">
      {work && <Whole work={work} />}
      {work ? (
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

/** How far the whole run is. */
function Whole({ work: { id, left } }: { work: Work }) {
  const { pictures = [] } = useStudio().history.runs.find((run) => run.id === id) ?? {};
  const ready = pictures.filter(Boolean).length;
  return (
    <p className="hint whole">
      <span>{`${ready} of ${pictures.length} ready`}</span>
      {left !== undefined && <span>{words(left)}</span>}
    </p>
  );
}
