import { ChevronRight, RotateCcw } from 'lucide-react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { scrollIntoView } from '../state/browser';
import {
  type GuidedStage,
  isModified,
  ranges,
  stageDescriptions,
  stagesOf,
  stageValues,
} from '../state/settings';
import { NumberSlider } from './NumberSlider';

const stageTexts = {
  prior: { title: 'Prior', hint: 'plans the image from your prompt' },
  decoder: { title: 'Decoder', hint: 'draws the image' },
} as const;

export function AdvancedSettings() {
  const { form } = useAppState();
  const { settings, change } = form;
  const stages = stagesOf(settings.kind);
  const modified = stages.some((stage) => isModified(settings[stage]));
  return (
    <Disclosure
      className="advanced"
      defaultExpanded={modified}
      onExpandedChange={(isOpen) =>
        isOpen && requestAnimationFrame(() => scrollIntoView('.stages'))
      }
    >
      <Heading level={2}>
        <Button slot="trigger" className="disclosure-button">
          <ChevronRight aria-hidden size={18} />
          Advanced
          {modified && <span className="hint">modified</span>}
        </Button>
      </Heading>
      <DisclosurePanel>
        <div className="stages">
          {stages.map((stage) => (
            <StageFields key={stage} stage={stage} />
          ))}
          {modified && (
            <Button
              className="button small quiet"
              onPress={() => change({ prior: {}, decoder: {} })}
            >
              <RotateCcw aria-hidden size={16} />
              Reset to defaults
            </Button>
          )}
        </div>
      </DisclosurePanel>
    </Disclosure>
  );
}

function StageFields({ stage }: { stage: GuidedStage }) {
  const { form, server } = useAppState();
  const { settings, change } = form;
  const { steps, guidance } = stageValues(stage, settings, server.model);
  const set = (changes: { steps?: number; guidance?: number }) =>
    change({ [stage]: { ...settings[stage], ...changes } });
  const { title, hint } = stageTexts[stage];
  return (
    <fieldset className="stage">
      <legend>
        {title} <span className="hint">{hint}</span>
      </legend>
      <NumberSlider
        name="Steps"
        label={`${title} steps`}
        description={stageDescriptions.steps}
        value={steps}
        range={ranges.steps}
        step={1}
        onChange={(steps) => set({ steps })}
      />
      <NumberSlider
        name="Guidance"
        label={`${title} guidance`}
        description={stageDescriptions.guidance}
        value={guidance}
        range={ranges.guidance}
        step={0.1}
        onChange={(guidance) => set({ guidance: Math.round(guidance * 10) / 10 })}
      />
    </fieldset>
  );
}
