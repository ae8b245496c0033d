import { GripVertical, Plus, X } from 'lucide-react';
import { Button, GridList, GridListItem, useDragAndDrop } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { type Part, partLimits } from '../state/inputs';
import { newPart } from '../state/use-inputs';
import { IconButton } from './IconButton';
import { NumberSlider } from './NumberSlider';
import { UploadError } from './SourceField';
import { TextOrImageField } from './TextOrImageField';

/** The parts of a mix, which can be dragged into another order. */
export function MixFields() {
  const { parts, setParts } = useAppState().inputs;
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) => [...keys].map((key) => ({ 'text/plain': `Part ${key}` })),
    onReorder: ({ keys, target }) =>
      setParts((now) => moved(now, keys, Number(target.key), target.dropPosition === 'after')),
  });
  return (
    <div className="parts-field">
      <GridList
        aria-label="Parts of the mix"
        className="parts"
        keyboardNavigationBehavior="tab"
        items={parts.map(({ id }, i) => ({ id, name: `Part ${i + 1}` }))}
        dragAndDropHooks={dragAndDropHooks}
      >
        {({ id, name }) => (
          <GridListItem className="part" textValue={name}>
            <PartFields name={name} id={id} />
          </GridListItem>
        )}
      </GridList>
      <UploadError />
      {parts.length < partLimits.max && (
        <Button className="button small" onPress={() => setParts([...parts, newPart()])}>
          <Plus aria-hidden size={17} />
          Add a part
        </Button>
      )}
    </div>
  );
}

function PartFields({ name, id }: { name: string; id: number }) {
  const { parts, setParts } = useAppState().inputs;
  // Not from the list's items: they are a render late, and the caret would jump to the end of the text.
  const part = parts.find((part) => part.id === id);
  if (part === undefined) return null;
  const change = (changes: Partial<Part>) =>
    setParts((now) => now.map((other) => (other.id === id ? { ...other, ...changes } : other)));
  return (
    <>
      <Button slot="drag" className="icon-button" aria-label={`Move ${name}`}>
        <GripVertical aria-hidden size={18} />
      </Button>
      <div className="part-fields">
        <TextOrImageField label={name} value={part} onChange={change} />
        <NumberSlider
          name="Weight"
          label={`Weight of ${name}`}
          description="The share of this part, relative to the other weights."
          value={part.weight}
          range={[0, 1]}
          step={0.05}
          onChange={(weight) => change({ weight: Math.round(100 * weight) / 100 })}
        />
      </div>
      {parts.length > partLimits.min && (
        <IconButton
          icon={X}
          label={`Remove ${name}`}
          onPress={() => setParts((now) => now.filter((other) => other.id !== id))}
        />
      )}
    </>
  );
}

/** The parts with some of them moved next to another one. */
function moved(
  parts: readonly Part[],
  keys: ReadonlySet<unknown>,
  target: number,
  after: boolean,
): readonly Part[] {
  const rest = parts.filter(({ id }) => !keys.has(id));
  const at = rest.findIndex(({ id }) => id === target) + (after ? 1 : 0);
  return rest.toSpliced(at, 0, ...parts.filter(({ id }) => keys.has(id)));
}
