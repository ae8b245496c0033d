import { Input, NumberField, Slider, SliderThumb, SliderTrack } from 'react-aria-components';

interface Props {
  name: string;
  /** Whose: with `name`, what screen readers say. */
  of: string;
  value: number;
  range: readonly [number, number];
  step: number;
  onChange: (value: number) => void;
}

/** A number to slide or to write. */
export function Dial({ name, of, value, range: [least, most], step, onChange }: Props) {
  const limits = { value, minValue: least, maxValue: most, step };
  return (
    <div className="dial">
      <span aria-hidden className="dial-name">
        {name}
      </span>
      <Slider
        {...limits}
        aria-label={`${of}: ${name}`}
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
        aria-label={`${of}: ${name}, as a number`}
        onChange={(value) => !Number.isNaN(value) && onChange(value)}
      >
        <Input className="input number dial-number" />
      </NumberField>
    </div>
  );
}
