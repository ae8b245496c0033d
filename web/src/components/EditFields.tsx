import { Input, Label, TextField } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { editModeLabel, editModes, maxPromptLength, ranges } from '../state/settings';
import { MaskPainter } from './MaskPainter';
import { NumberSlider } from './NumberSlider';
import { PromptText } from './PromptField';
import { SegmentedField } from './SegmentedField';
import { SourceField } from './SourceField';

/** The image to edit, and how. */
export function EditFields() {
  const { form, inputs } = useAppState();
  const { editMode } = form.settings;
  return (
    <>
      <SegmentedField
        label="Kind of edit"
        isLabelHidden
        value={editMode}
        values={editModes}
        onChange={(editMode) => form.change({ editMode })}
      >
        {editModeLabel}
      </SegmentedField>
      <SourceField kind="edit" />
      {editMode === 'text' && <TextDifference />}
      {editMode === 'repaint' && inputs.source && <MaskPainter source={inputs.source} />}
      {editMode === 'repaint' && (
        <PromptText
          label="What to paint"
          placeholder="Describe the whole image with the new part"
        />
      )}
    </>
  );
}

/** What the image shows, and what it should show instead. */
function TextDifference() {
  const { form } = useAppState();
  const { from, to, strength } = form.settings;
  const field = (label: string, value: string, onChange: (text: string) => void) => (
    <TextField className="field" maxLength={maxPromptLength} value={value} onChange={onChange}>
      <Label>{label}</Label>
      <Input className="input" />
    </TextField>
  );
  return (
    <>
      {field('The image shows', from, (from) => form.change({ from }))}
      {field('It should show', to, (to) => form.change({ to }))}
      <NumberSlider
        name="Strength"
        label="Strength"
        description="How far the image is changed towards the second text."
        value={strength}
        range={ranges.strength}
        step={0.05}
        onChange={(strength) => form.change({ strength: Math.round(100 * strength) / 100 })}
      />
    </>
  );
}
