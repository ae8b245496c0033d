import { Input, NumberField, Slider, SliderThumb, SliderTrack } from 'react-aria-components';

interface Props {
  /** The visible name. */
  name: string;
  /** The accessible name. */
  label: string;
  /** A tooltip for the visible name. */
  description: string;
  value: number;
  range: readonly [number, number];
  step: number;
  onChange: (value: number) => void;
}

/** A slider next to a number field. */
export function NumberSlider(props: Props) {
  const { name, label, description, value, step, onChange } = props;
  const [min, max] = props.range;
  const limits = { value, minValue: min, maxValue: max, step };
  return (
    <div className="number-slider">
      <span aria-hidden className="number-slider-name" title={description}>
        {name}
      </span>
      <Slider
        {...limits}
        aria-label={label}
        className="slider"
        onChange={(value) => onChange(value as number)}
      >
        <SliderTrack className="slider-track">
          {({ state }) => (
            <>
              <span
                className="slider-fill"
                style={{ width: `${100 * state.getThumbPercent(0)}%` }}
              />
              <SliderThumb className="slider-thumb" />
            </>
          )}
        </SliderTrack>
      </Slider>
      <NumberField
        {...limits}
        aria-label={`${label} value`}
        onChange={(value) => !Number.isNaN(value) && onChange(value)}
      >
        <Input className="input number number-slider-input" />
      </NumberField>
    </div>
  );
}
