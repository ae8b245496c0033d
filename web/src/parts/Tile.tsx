import { Download, Repeat2, Shuffle } from 'lucide-react';
import { Button } from 'react-aria-components';
import { download, fileName, useObjectUrl } from '../studio/browser';
import type { Picture, Run } from '../studio/runs';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';
import { titleOf } from './RunGroup';

interface Props {
  run: Run;
  index: number;
  picture: Picture;
  onOpen: (index: number) => void;
}

/** A finished picture, its seed, and what one does with it most. */
export function Tile({ run, index, picture, onOpen }: Props) {
  const { again, choose } = useStudio();
  const url = useObjectUrl(picture.blob);
  const { seed, blob } = picture;
  const name = fileName(run.settings.prompt, seed, blob.type);
  return (
    <figure className="tile">
      <Button
        className="tile-picture"
        aria-label={`Look at picture ${index + 1}`}
        onPress={() => onOpen(index)}
      >
        {url && <img src={url} alt={`${titleOf(run)}, seed ${seed}`} />}
      </Button>
      <figcaption className="tile-words">
        <span className="number" title="Seed">
          {seed}
        </span>
        <IconButton icon={Download} label="Download" onPress={() => download(blob, name)} />
        <IconButton icon={Shuffle} label="Vary this" onPress={() => choose(blob)} />
        <IconButton icon={Repeat2} label="Same seed again" onPress={() => again(run, picture)} />
      </figcaption>
    </figure>
  );
}
