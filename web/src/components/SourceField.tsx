import { ImageUp, X } from 'lucide-react';
import type { ComponentProps } from 'react';
import { Button, DropZone, FileTrigger, Text } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import type { Kind } from '../state/settings';
import { acceptedTypes, cropOf, type Fit, type Source } from '../state/source';
import { IconButton } from './IconButton';
import { NumberSlider } from './NumberSlider';
import { SegmentedField } from './SegmentedField';

type DropEvent = Parameters<NonNullable<ComponentProps<typeof DropZone>['onDrop']>>[0];

/** The dropped file, if any. */
export async function fileOf({ items }: DropEvent): Promise<File | undefined> {
  const item = items.find(({ kind }) => kind === 'file');
  return item?.kind === 'file' ? item.getFile() : undefined;
}

/** The image to vary or to edit: dropped, pasted or chosen. */
export function SourceField({ kind }: { kind: Kind }) {
  const { form, inputs, selectImage } = useAppState();
  const { source, changeSource } = inputs;
  const isSquare = source?.width === source?.height;
  // The painter shows the square.
  const isPainted = isSquare && kind === 'edit' && form.settings.editMode === 'repaint';
  const select = (file: Blob | undefined) => file && selectImage(file, kind);
  return (
    <div className="source">
      <DropZone
        className={`drop-zone ${source ? 'filled' : ''}`}
        onDrop={async (event) => select(await fileOf(event))}
        getDropOperation={() => 'copy'}
      >
        <Text slot="label" className={source ? 'visually-hidden' : 'drop-label'}>
          {source ? 'Selected image' : 'Drop or paste an image'}
        </Text>
        {source && !isPainted && <Crop source={source} />}
        <div className="drop-actions">
          <FileTrigger acceptedFileTypes={acceptedTypes} onSelect={(files) => select(files?.[0])}>
            <Button className="button small">
              <ImageUp aria-hidden size={17} />
              {source ? 'Choose another image' : 'Choose an image'}
            </Button>
          </FileTrigger>
          {source && (
            <IconButton icon={X} label="Remove image" onPress={() => changeSource(undefined)} />
          )}
        </div>
      </DropZone>
      <UploadError />
      {source && !isSquare && <FitFields source={source} />}
    </div>
  );
}

/** Why the last image cannot be used. */
export function UploadError() {
  const { uploadError } = useAppState().inputs;
  return <div role="alert">{uploadError && <p className="error-text">{uploadError}</p>}</div>;
}

/** The image, with the part that becomes the square. `fill` shows it as the square that it becomes. */
function Crop({ source }: { source: Source }) {
  const url = useObjectUrl(source.file);
  const { width, height, fit } = source;
  const crop = cropOf(source);
  const percent = (part: number, whole: number) => `${(100 * part) / whole}%`;
  return (
    <div className="crop" style={{ aspectRatio: fit === 'fill' ? 1 : width / height }}>
      {url && <img src={url} alt="Selected" />}
      {fit === 'cover' && (
        <span
          className="crop-frame"
          style={{
            left: percent(crop.x, width),
            top: percent(crop.y, height),
            width: percent(crop.width, width),
            height: percent(crop.height, height),
          }}
        />
      )}
    </div>
  );
}

const fits = ['cover', 'fill'] as const satisfies readonly Fit[];
const fitTexts: Record<Fit, string> = { cover: 'Crop', fill: 'Stretch' };

function FitFields({ source }: { source: Source }) {
  const { changeSource } = useAppState().inputs;
  const { fit, position } = source;
  return (
    <>
      <SegmentedField
        label="The model reads squares"
        value={fit}
        values={fits}
        onChange={(fit) => changeSource({ ...source, fit })}
      >
        {(name) => fitTexts[name]}
      </SegmentedField>
      {fit === 'cover' && (
        <NumberSlider
          name="Position"
          label="Position of the crop"
          description="Where the crop is along the longer side, in percent."
          value={Math.round(100 * position)}
          range={[0, 100]}
          step={1}
          onChange={(percent) => changeSource({ ...source, position: percent / 100 })}
        />
      )}
    </>
  );
}
