import type { ReactNode } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';

interface Props<T extends string | number> {
  label: string;
  /** Whether the label is only for screen readers. */
  isLabelHidden?: boolean;
  value: T;
  values: readonly T[];
  /** What a value shows. */
  children: (value: T) => ReactNode;
  onChange: (value: T) => void;
  className?: string;
}

/** A choice among few values, next to each other. */
export function SegmentedField<T extends string | number>(props: Props<T>) {
  const { label, isLabelHidden = false, value, values, children, onChange, className = '' } = props;
  return (
    <RadioGroup
      className="field"
      orientation="horizontal"
      {...(isLabelHidden && { 'aria-label': label })}
      value={String(value)}
      onChange={(chosen) => onChange(values.find((one) => String(one) === chosen) as T)}
    >
      {!isLabelHidden && <Label>{label}</Label>}
      <div className={`segments ${className}`.trim()}>
        {values.map((one) => (
          <Radio key={one} value={String(one)} className="segment">
            {children(one)}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
