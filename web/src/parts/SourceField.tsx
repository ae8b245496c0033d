import { ImageUp, X } from 'lucide-react';
import { type ComponentProps, useState } from 'react';
import { Button, DropZone, FileTrigger, Text } from 'react-aria-components';
import { useObjectUrl } from '../studio/browser';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';

type DropEvent = Parameters<NonNullable<ComponentProps<typeof DropZone>['onDrop']>>[0];

const types = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'];

/** The picture to vary: dragged, pasted or chosen. */
export function SourceField() {
  const { source, choose } = useStudio();
  const [refused, setRefused] = useState<string>();
  const url = useObjectUrl(source);

  const take = (file: Blob | undefined) => {
    const right = file !== undefined && types.includes(file.type);
    setRefused(right ? undefined : 'Karlo reads PNG, JPEG, WebP, GIF and AVIF pictures.');
    if (right) choose(file);
  };
  const drop = async ({ items }: DropEvent) => {
    const item = items.find(({ kind }) => kind === 'file');
    take(item?.kind === 'file' ? await item.getFile() : undefined);
  };

  return (
    <div className="source">
      <DropZone
        className={`drop ${url ? 'filled' : ''}`}
        onDrop={drop}
        getDropOperation={() => 'copy'}
      >
        <Text slot="label" className={url ? 'unseen' : 'drop-label'}>
          {url ? 'The picture to vary' : 'Drop or paste a picture'}
        </Text>
        {url && (
          <img
            src={url}
            alt="What will be varied"
            onError={() => {
              setRefused('This file holds no picture that the browser can read.');
              choose(undefined);
            }}
          />
        )}
        <div className="drop-actions">
          <FileTrigger acceptedFileTypes={types} onSelect={(files) => files && take(files[0])}>
            <Button className="button small">
              <ImageUp aria-hidden size={17} />
              {url ? 'Another picture' : 'Choose a picture'}
            </Button>
          </FileTrigger>
          {url && <IconButton icon={X} label="Remove" onPress={() => choose(undefined)} />}
        </div>
      </DropZone>
      {refused && (
        <p role="alert" className="wrong">
          {refused}
        </p>
      )}
    </div>
  );
}
