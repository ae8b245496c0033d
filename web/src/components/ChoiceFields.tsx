import { Label, Radio, RadioGroup } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { ranges, type Sampling, samplingLabel, samplings } from '../state/settings';

export function CountField() {
  const { form, server } = useAppState();
  const max = Math.min(ranges.count[1], server.model?.karlo.max_n ?? ranges.count[1]);
  return (
    <RadioGroup
      className="field"
      orientation="horizontal"
      value={String(form.settings.count)}
      onChange={(value) => form.change({ count: Number(value) })}
    >
      <Label>Images</Label>
      <div className="segments">
        {Array.from({ length: max }, (_, i) => String(i + 1)).map((value) => (
          <Radio key={value} value={value} className="segment">
            {value}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

export function SamplingField() {
  const { form, server } = useAppState();
  const steps = (name: Sampling) => server.model?.karlo.samplings[name].decoder.steps;
  return (
    <RadioGroup
      className="field"
      orientation="horizontal"
      value={form.settings.sampling}
      onChange={(value) => form.change({ sampling: value as Sampling })}
    >
      <Label>Sampling</Label>
      <div className="segments">
        {samplings.map((name) => (
          <Radio key={name} value={name} className="segment">
            {samplingLabel(name)}
            <span className="hint">{steps(name) && `${steps(name)} steps`}</span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
