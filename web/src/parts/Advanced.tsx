import { ChevronRight, RotateCcw } from 'lucide-react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { intoView } from '../studio/browser';
import { isChanged, ranges, stageValues } from '../studio/settings';
import { useStudio } from '../studio/use-studio';
import { Dial } from './Dial';

const stages = {
  prior: { title: 'Prior', hint: 'imagines the picture from the words' },
  decoder: { title: 'Decoder', hint: 'draws it' },
} as const;

export function Advanced() {
  const { form } = useStudio();
  const { settings, change } = form;
  const shown =
    settings.kind === 'create' ? (['prior', 'decoder'] as const) : (['decoder'] as const);
  const changed = shown.some((stage) => isChanged(settings[stage]));
  return (
    <Disclosure
      className="advanced"
      defaultExpanded={changed}
      onExpandedChange={(isOpen) => isOpen && requestAnimationFrame(() => intoView('.stages'))}
    >
      <Heading level={2}>
        <Button slot="trigger" className="disclose">
          <ChevronRight aria-hidden size={18} />
          Advanced
          {changed && <span className="hint">changed</span>}
        </Button>
      </Heading>
      <DisclosurePanel>
        <div className="stages">
          {shown.map((stage) => (
            <Stage key={stage} stage={stage} />
          ))}
          {changed && (
            <Button
              className="button small quiet"
              onPress={() => change({ prior: {}, decoder: {} })}
            >
              <RotateCcw aria-hidden size={16} />
              As usual
            </Button>
          )}
        </div>
      </DisclosurePanel>
    </Disclosure>
  );
}

function Stage({ stage }: { stage: keyof typeof stages }) {
  const { form, server } = useStudio();
  const { settings, change } = form;
  const { steps, guidance } = stageValues(stage, settings, server.model);
  const set = (changes: { steps?: number; guidance?: number }) =>
    change({ [stage]: { ...settings[stage], ...changes } });
  const { title, hint } = stages[stage];
  return (
    <fieldset className="stage">
      <legend>
        {title} <span className="hint">{hint}</span>
      </legend>
      <Dial
        name="Steps"
        of={title}
        value={steps}
        range={ranges.steps}
        step={1}
        onChange={(steps) => set({ steps })}
      />
      <Dial
        name="Guidance"
        of={title}
        value={guidance}
        range={ranges.guidance}
        step={0.1}
        onChange={(guidance) => set({ guidance: Math.round(guidance * 10) / 10 })}
      />
    </fieldset>
  );
}
