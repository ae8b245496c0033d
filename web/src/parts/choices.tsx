import { Label, Radio, RadioGroup } from 'react-aria-components';
import type { SamplingName } from '../api/types';
import { ranges } from '../studio/settings';
import { useStudio } from '../studio/use-studio';

export function CountField() {
  const { form, server } = useStudio();
  const most = Math.min(ranges.count[1], server.model?.karlo.max_n ?? ranges.count[1]);
  return (
    <RadioGroup
      className="field"
      orientation="horizontal"
      value={String(form.settings.count)}
      onChange={(value) => form.change({ count: Number(value) })}
    >
      <Label>Pictures</Label>
      <div className="segments">
        {Array.from({ length: most }, (_, i) => String(i + 1)).map((value) => (
          <Radio key={value} value={value} className="segment">
            {value}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

export function SamplingField() {
  const { form, server } = useStudio();
  const steps = (name: SamplingName) => server.model?.karlo.samplings[name].decoder.steps;
  return (
    <RadioGroup
      className="field"
      orientation="horizontal"
      value={form.settings.sampling}
      onChange={(value) => form.change({ sampling: value as SamplingName })}
    >
      <Label>Sampling</Label>
      <div className="segments">
        {(['fast', 'default'] as const).map((name) => (
          <Radio key={name} value={name} className="segment">
            {name === 'fast' ? 'Fast' : 'Default'}
            <span className="hint">{steps(name) && `${steps(name)} steps`}</span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
