import { ImageUp, X } from 'lucide-react';
import { type ComponentProps, useState } from 'react';
import { Button, DropZone, FileTrigger, Text } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import { IconButton } from './IconButton';

type DropEvent = Parameters<NonNullable<ComponentProps<typeof DropZone>['onDrop']>>[0];

const acceptedTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'];

/** The image to vary: dropped, pasted or chosen. */
export function SourceField() {
  const { source, selectSource } = useAppState();
  const [error, setError] = useState<string>();
  const url = useObjectUrl(source);

  const selectFile = (file: Blob | undefined) => {
    const accepted = file !== undefined && acceptedTypes.includes(file.type);
    setError(accepted ? undefined : 'Choose a PNG, JPEG, WebP, GIF or AVIF image.');
    if (accepted) selectSource(file);
  };
  const selectDropped = async ({ items }: DropEvent) => {
    const item = items.find(({ kind }) => kind === 'file');
    selectFile(item?.kind === 'file' ? await item.getFile() : undefined);
  };

  return (
    <div className="source">
      <DropZone
        className={`drop-zone ${url ? 'filled' : ''}`}
        onDrop={selectDropped}
        getDropOperation={() => 'copy'}
      >
        <Text slot="label" className={url ? 'visually-hidden' : 'drop-label'}>
          {url ? 'Image to vary' : 'Drop or paste an image'}
        </Text>
        {url && (
          <img
            src={url}
            alt="Selected for variation"
            onError={() => {
              setError("Your browser can't read this image. Choose another one.");
              selectSource(undefined);
            }}
          />
        )}
        <div className="drop-actions">
          <FileTrigger
            acceptedFileTypes={acceptedTypes}
            onSelect={(files) => files && selectFile(files[0])}
          >
            <Button className="button small">
              <ImageUp aria-hidden size={17} />
              {url ? 'Choose another image' : 'Choose an image'}
            </Button>
          </FileTrigger>
          {url && (
            <IconButton icon={X} label="Remove image" onPress={() => selectSource(undefined)} />
          )}
        </div>
      </DropZone>
      {error && (
        <p role="alert" className="error-text">
          {error}
        </p>
      )}
    </div>
  );
}
