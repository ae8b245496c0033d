import { Heart } from 'lucide-react';
import { Button, ToggleButton } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import { type GeneratedImage, type Run, titleOf } from '../state/runs';
import { ImageMenu } from './ImageActions';

interface Props {
  run: Run;
  index: number;
  image: GeneratedImage;
  onOpen: (index: number) => void;
}

/** An image with its seed and its most frequent actions. */
export function FinishedImage({ run, index, image, onOpen }: Props) {
  const { compared } = useAppState();
  const url = useObjectUrl(image.blob);
  const isCompared = compared.some((ref) => ref.runId === run.id && ref.index === index);
  return (
    <figure className="tile" data-compared={isCompared || undefined}>
      <Button
        className="tile-image"
        aria-label={`Open image ${index + 1}`}
        onPress={() => onOpen(index)}
      >
        {url && <img src={url} alt={`${titleOf(run)}, seed ${image.seed}`} />}
      </Button>
      <TileCaption run={run} index={index} image={image} />
    </figure>
  );
}

type CaptionProps = Omit<Props, 'onOpen'>;

/** The seed of an image, and actions. */
export function TileCaption({ run, index, image }: CaptionProps) {
  return (
    <figcaption className="tile-caption">
      <span className="number" title="Seed">
        {image.seed}
      </span>
      <div className="tile-actions">
        <FavouriteButton run={run} index={index} image={image} />
        <ImageMenu run={run} index={index} image={image} />
      </div>
    </figcaption>
  );
}

export function FavouriteButton({ run, index, image }: CaptionProps) {
  const { toggleFavourite } = useAppState();
  return (
    <ToggleButton
      className="labelled-button favourite"
      isSelected={image.favourite === true}
      onChange={() => toggleFavourite({ runId: run.id, index })}
    >
      <Heart aria-hidden size={18} strokeWidth={1.75} />
      Favourite
    </ToggleButton>
  );
}
