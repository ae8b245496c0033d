import { ChevronLeft, ChevronRight, X } from 'lucide-react';
import { useEffect } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import type { Model } from '../api/types';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import { type GeneratedImage, type Run, timeOf, titleOf } from '../state/runs';
import {
  hasPrior,
  type Stage,
  samplerLabel,
  samplingLabel,
  stageValues,
  stepsText,
} from '../state/settings';
import { FavouriteButton } from './FinishedImage';
import { IconButton } from './IconButton';
import { ImageActions } from './ImageActions';

interface ShownImage {
  run: Run;
  index: number;
}

interface Props {
  /** The dialog is closed if this is undefined. */
  shown: ShownImage | undefined;
  onMove: (index: number) => void;
  onClose: () => void;
}

/** A large view of one image, with its settings and actions. */
export function ImageDialog({ shown, onMove, onClose }: Props) {
  const image = shown?.run.images[shown.index];
  return (
    <ModalOverlay
      className="overlay"
      isDismissable
      isOpen={image !== undefined}
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal className="modal">
        <Dialog>
          {shown && image && <Content {...shown} image={image} onMove={onMove} onClose={onClose} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ContentProps extends ShownImage, Omit<Props, 'shown'> {
  image: GeneratedImage;
}

function Content({ run, index, image, onMove, onClose }: ContentProps) {
  const { server } = useAppState();
  const url = useObjectUrl(image.blob);
  return (
    <div className="image-dialog">
      <div className="image-dialog-image">
        {url && <img src={url} alt={`${titleOf(run)}, seed ${image.seed}`} />}
        <Navigation run={run} index={index} onMove={onMove} />
      </div>
      <div className="image-dialog-text">
        <Heading slot="title" level={2}>
          {titleOf(run)}
        </Heading>
        <div className="image-actions">
          <FavouriteButton run={run} index={index} image={image} />
          <ImageActions run={run} index={index} image={image} onLeave={onClose} />
        </div>
        <dl className="image-settings">
          {Object.entries(settingsRows(run, image, server.model)).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <IconButton icon={X} label="Close" className="close" onPress={onClose} />
    </div>
  );
}

function Navigation({ run, index, onMove }: Omit<ContentProps, 'image' | 'onClose'>) {
  const indices = run.images.flatMap((other, i) => (other ? [i] : []));
  const position = indices.indexOf(index);
  const move = (by: number) => {
    const next = indices[position + by];
    if (next !== undefined) onMove(next);
  };
  useArrowKeys(move);
  if (indices.length < 2) return null;
  return (
    <div className="image-dialog-navigation">
      <IconButton
        icon={ChevronLeft}
        label="Previous image"
        isDisabled={position === 0}
        onPress={() => move(-1)}
      />
      <span className="hint">{`${position + 1} of ${indices.length}`}</span>
      <IconButton
        icon={ChevronRight}
        label="Next image"
        isDisabled={position === indices.length - 1}
        onPress={() => move(1)}
      />
    </div>
  );
}

/** The arrow keys move between images, wherever the focus is. */
function useArrowKeys(move: (by: number) => void) {
  useEffect(() => {
    const listener = ({ key }: KeyboardEvent) => {
      if (key === 'ArrowLeft') move(-1);
      if (key === 'ArrowRight') move(1);
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  });
}

/** The settings of an image, for people. */
export function settingsRows(
  run: Run,
  image: GeneratedImage,
  model: Model | undefined,
): Record<string, string> {
  const { settings } = run;
  const values = (stage: Stage) => stageValues(stage, settings, model);
  const valuesText = (stage: Stage) => {
    const { steps, guidance, sampler } = values(stage);
    return `${stepsText(steps)} of ${samplerLabel(sampler)}, guidance ${guidance}`;
  };
  return {
    Seed: String(image.seed),
    Sampling: samplingLabel(settings.sampling),
    ...(hasPrior(settings) && { Prior: valuesText('prior') }),
    Decoder: valuesText('decoder'),
    'Super-resolution': stepsText(values('upsample').steps),
    Created: timeOf(run).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
  };
}
