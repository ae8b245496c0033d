import { Check } from 'lucide-react';
import { ToggleButton } from 'react-aria-components';
import { useObjectUrl } from '../state/browser';
import { type GeneratedImage, type Run, titleOf } from '../state/runs';
import { TileCaption } from './FinishedImage';

interface Props {
  run: Run;
  index: number;
  image: GeneratedImage;
  isChosen: boolean;
  onChoose: (isChosen: boolean) => void;
}

/** A draft, which can be chosen to be finished. */
export function DraftImage({ run, index, image, isChosen, onChoose }: Props) {
  const url = useObjectUrl(image.blob);
  return (
    <figure className="tile">
      <ToggleButton
        className="tile-image draft"
        aria-label={`Choose draft ${index + 1}`}
        isSelected={isChosen}
        onChange={onChoose}
      >
        {url && <img src={url} alt={`${titleOf(run)}, seed ${image.seed}`} />}
        <span className="draft-label">
          {isChosen && <Check aria-hidden size={14} strokeWidth={3} />}
          Draft
        </span>
      </ToggleButton>
      <TileCaption run={run} index={index} image={image} />
    </figure>
  );
}
