import { ChevronRight, RotateCcw } from 'lucide-react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { scrollIntoView } from '../state/browser';
import {
  type GuidedStage,
  isModified,
  ranges,
  type SamplerName,
  type Stage,
  type StageSettings,
  samplerLabel,
  samplers,
  stageDescriptions,
  stagesOf,
  stageValues,
} from '../state/settings';
import { NumberSlider } from './NumberSlider';

const stageTexts = {
  prior: { title: 'Prior', hint: 'plans the image from your prompt' },
  decoder: { title: 'Decoder', hint: 'draws the image' },
  upsample: { title: 'Super-resolution', hint: 'enlarges the image' },
} as const;

export function AdvancedSettings() {
  const { form } = useAppState();
  const { settings, change } = form;
  const stages = stagesOf(settings);
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
              onPress={() => change({ prior: {}, decoder: {}, upsample: {} })}
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

function StageFields({ stage }: { stage: Stage }) {
  const { form, server } = useAppState();
  const { settings, change } = form;
  const { steps } = stageValues(stage, settings, server.model);
  const set = (changes: StageSettings) => change({ [stage]: { ...settings[stage], ...changes } });
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
      {stage !== 'upsample' && <GuidanceFields stage={stage} set={set} />}
    </fieldset>
  );
}

interface GuidanceProps {
  stage: GuidedStage;
  set: (changes: StageSettings) => void;
}

/** Super-resolution has neither guidance nor other samplers. */
function GuidanceFields({ stage, set }: GuidanceProps) {
  const { form, server } = useAppState();
  const { guidance, sampler } = stageValues(stage, form.settings, server.model);
  const { title } = stageTexts[stage];
  return (
    <>
      <NumberSlider
        name="Guidance"
        label={`${title} guidance`}
        description={stageDescriptions.guidance}
        value={guidance}
        range={ranges.guidance}
        step={0.1}
        onChange={(guidance) => set({ guidance: Math.round(guidance * 10) / 10 })}
      />
      <label className="number-slider">
        <span className="number-slider-name" title={stageDescriptions.sampler}>
          Sampler
        </span>
        <select
          className="input sampler"
          aria-label={`${title} sampler`}
          value={sampler}
          onChange={({ target }) => set({ sampler: target.value as SamplerName })}
        >
          {samplers.map((name) => (
            <option key={name} value={name}>
              {samplerLabel(name)}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
