import { ArrowDownUp } from 'lucide-react';
import { useAppState } from '../state/app-state';
import type { TextOrImage } from '../state/inputs';
import {
  animationLabel,
  animations,
  type Easing,
  easingLabel,
  easings,
  ranges,
} from '../state/settings';
import { IconButton } from './IconButton';
import { NumberSlider } from './NumberSlider';
import { SegmentedField } from './SegmentedField';
import { UploadError } from './SourceField';
import { TextOrImageField } from './TextOrImageField';

/** The ends of an interpolation, and what is generated between them. */
export function InterpolateFields() {
  const { inputs, form } = useAppState();
  const { ends, setEnds } = inputs;
  const [from, to] = ends;
  const { frames } = form.settings;
  const set = (index: 0 | 1) => (changes: Partial<TextOrImage>) =>
    setEnds(index === 0 ? [{ ...from, ...changes }, to] : [from, { ...to, ...changes }]);
  return (
    <div className="ends">
      <TextOrImageField label="Start" value={from} onChange={set(0)} />
      <IconButton
        icon={ArrowDownUp}
        label="Swap start and end"
        text="Swap"
        onPress={() => setEnds([to, from])}
      />
      <TextOrImageField label="End" value={to} onChange={set(1)} />
      <UploadError />
      <NumberSlider
        name="Frames"
        label="Frames"
        description="Number of images, both ends included."
        value={frames}
        range={ranges.frames}
        step={1}
        onChange={(frames) => form.change({ frames })}
      />
      <EasingField />
      <AnimationField />
    </div>
  );
}

function EasingField() {
  const { form } = useAppState();
  return (
    <label className="number-slider">
      <span className="number-slider-name">Easing</span>
      <select
        className="input sampler"
        value={form.settings.easing}
        onChange={({ target }) => form.change({ easing: target.value as Easing })}
      >
        {easings.map((name) => (
          <option key={name} value={name}>
            {easingLabel(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function AnimationField() {
  const { form } = useAppState();
  return (
    <SegmentedField
      label="Animation"
      value={form.settings.animation}
      values={animations}
      onChange={(animation) => form.change({ animation })}
    >
      {animationLabel}
    </SegmentedField>
  );
}
