import { Dices, Lock, LockOpen } from 'lucide-react';
import {
  Input,
  Label,
  NumberField,
  ToggleButton,
  Tooltip,
  TooltipTrigger,
} from 'react-aria-components';
import { randomSeed, ranges } from '../studio/settings';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';

/** The same seed and settings make the same picture. */
export function SeedField() {
  const { form } = useStudio();
  const { settings, locked, change, setLocked } = form;
  const [least, most] = ranges.seed;
  return (
    <div className="seed">
      <NumberField
        className="field"
        value={settings.seed}
        minValue={least}
        maxValue={most}
        formatOptions={{ useGrouping: false, maximumFractionDigits: 0 }}
        onChange={(seed) => {
          if (Number.isNaN(seed)) return change({ seed: randomSeed() });
          // Who writes a seed wants that one.
          change({ seed });
          setLocked(true);
        }}
      >
        <Label>Seed</Label>
        <Input className="input number" />
      </NumberField>
      <IconButton
        icon={Dices}
        label="Another seed"
        onPress={() => change({ seed: randomSeed() })}
      />
      <TooltipTrigger delay={500}>
        <ToggleButton
          className="icon-button lock"
          aria-label="Keep this seed"
          isSelected={locked}
          onChange={setLocked}
        >
          {locked ? <Lock aria-hidden size={18} /> : <LockOpen aria-hidden size={18} />}
        </ToggleButton>
        <Tooltip offset={6} className="tooltip">
          Keep this seed
        </Tooltip>
      </TooltipTrigger>
    </div>
  );
}
