import { Dices, Lock, LockOpen } from 'lucide-react';
import { Input, Label, NumberField, ToggleButton } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { randomSeed, ranges } from '../state/settings';
import { IconButton } from './IconButton';

/** The same seed and settings generate the same images. */
export function SeedField() {
  const { form } = useAppState();
  const { settings, seedLocked, change, setSeedLocked } = form;
  const [min, max] = ranges.seed;
  return (
    <div className="seed">
      <NumberField
        className="field"
        value={settings.seed}
        minValue={min}
        maxValue={max}
        formatOptions={{ useGrouping: false, maximumFractionDigits: 0 }}
        onChange={(seed) => {
          if (Number.isNaN(seed)) return change({ seed: randomSeed() });
          // A seed that was typed in is meant to be used.
          change({ seed });
          setSeedLocked(true);
        }}
      >
        <Label>Seed</Label>
        <Input className="input number" />
      </NumberField>
      <IconButton
        icon={Dices}
        label="New random seed"
        text="Random"
        onPress={() => change({ seed: randomSeed() })}
      />
      <ToggleButton
        className="labelled-button lock"
        aria-label="Lock seed"
        isSelected={seedLocked}
        onChange={setSeedLocked}
      >
        {seedLocked ? <Lock aria-hidden size={18} /> : <LockOpen aria-hidden size={18} />}
        Lock
      </ToggleButton>
    </div>
  );
}
