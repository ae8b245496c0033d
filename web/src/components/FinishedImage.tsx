import { Download, Repeat2, Shuffle } from 'lucide-react';
import { Button } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { download, fileName, useObjectUrl } from '../state/browser';
import { type GeneratedImage, type Run, titleOf } from '../state/runs';
import { IconButton } from './IconButton';

interface Props {
  run: Run;
  index: number;
  image: GeneratedImage;
  onOpen: (index: number) => void;
}

/** An image with its seed and its most frequent actions. */
export function FinishedImage({ run, index, image, onOpen }: Props) {
  const { reuseSettings, selectSource } = useAppState();
  const url = useObjectUrl(image.blob);
  const { seed, blob } = image;
  const name = fileName(run.settings.prompt, seed, blob.type);
  return (
    <figure className="tile">
      <Button
        className="tile-image"
        aria-label={`Open image ${index + 1}`}
        onPress={() => onOpen(index)}
      >
        {url && <img src={url} alt={`${titleOf(run)}, seed ${seed}`} />}
      </Button>
      <figcaption className="tile-caption">
        <span className="number" title="Seed">
          {seed}
        </span>
        <IconButton icon={Download} label="Download" onPress={() => download(blob, name)} />
        <IconButton icon={Shuffle} label="Vary image" onPress={() => selectSource(blob)} />
        <IconButton
          icon={Repeat2}
          label="Reuse settings"
          onPress={() => reuseSettings(run, image)}
        />
      </figcaption>
    </figure>
  );
}
