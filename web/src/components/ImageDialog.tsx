import {
  ChevronLeft,
  ChevronRight,
  Copy,
  Download,
  Link2,
  Repeat2,
  Shuffle,
  Trash2,
  X,
} from 'lucide-react';
import { useEffect } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { copy, download, fileName, useObjectUrl } from '../state/browser';
import { toHash } from '../state/link';
import { type GeneratedImage, type Run, settingsOf, timeOf, titleOf } from '../state/runs';
import { type GuidedStage, samplingLabel, stageValues } from '../state/settings';
import { IconButton } from './IconButton';

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
  const url = useObjectUrl(image.blob);
  const indices = run.images.flatMap((other, i) => (other ? [i] : []));
  const position = indices.indexOf(index);
  const move = (by: number) => {
    const next = indices[position + by];
    if (next !== undefined) onMove(next);
  };
  useArrowKeys(move);
  return (
    <div className="image-dialog">
      <div className="image-dialog-image">
        {url && <img src={url} alt={`${titleOf(run)}, seed ${image.seed}`} />}
        {indices.length > 1 && (
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
        )}
      </div>
      <div className="image-dialog-text">
        <Heading slot="title" level={2}>
          {titleOf(run)}
        </Heading>
        <ImageSettings run={run} image={image} />
        <Actions run={run} index={index} image={image} onClose={onClose} />
      </div>
      <IconButton icon={X} label="Close" className="close" onPress={onClose} />
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

function ImageSettings({ run, image }: Pick<ContentProps, 'run' | 'image'>) {
  const { server } = useAppState();
  const { settings } = run;
  const valuesText = (stage: GuidedStage) => {
    const { steps, guidance } = stageValues(stage, settings, server.model);
    return `${steps} steps, guidance ${guidance}`;
  };
  const rows = {
    Seed: image.seed,
    Sampling: samplingLabel(settings.sampling),
    ...(settings.kind === 'create' && { Prior: valuesText('prior') }),
    Decoder: valuesText('decoder'),
    Created: timeOf(run).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
  };
  return (
    <dl className="image-settings">
      {Object.entries(rows).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ run, index, image, onClose }: Omit<ContentProps, 'onMove'>) {
  const { reuseSettings, selectSource, removeImage, showToast, progress } = useAppState();
  const { settings } = run;
  const link = toHash(settingsOf(run, image), { withSeed: true });
  const copyText = async (text: string, toast: string) =>
    showToast((await copy(text)) ? toast : 'The browser does not allow copying');
  const closeAnd = (action: () => void) => () => {
    onClose();
    action();
  };
  const name = fileName(settings.prompt, image.seed, image.blob.type);
  const actions = [
    [Download, 'Download', () => download(image.blob, name)],
    [Shuffle, 'Vary image', closeAnd(() => selectSource(image.blob))],
    [Repeat2, 'Reuse settings', closeAnd(() => reuseSettings(run, image))],
    ...(settings.kind === 'create'
      ? ([[Copy, 'Copy prompt', () => copyText(settings.prompt, 'Prompt copied')]] as const)
      : []),
    [Link2, 'Copy link', () => copyText(new URL(link, location.href).href, 'Link copied')],
    // The current run would add a deleted image again.
    ...(progress?.runId === run.id
      ? []
      : ([[Trash2, 'Delete', closeAnd(() => removeImage(run, index))]] as const)),
  ] as const;
  return (
    <div className="image-dialog-actions">
      {actions.map(([Icon, label, act]) => (
        <Button key={label} className="button small" onPress={act}>
          <Icon aria-hidden size={17} strokeWidth={1.75} />
          {label}
        </Button>
      ))}
    </div>
  );
}
