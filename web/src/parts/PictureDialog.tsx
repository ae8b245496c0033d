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
import { copy, download, fileName, useObjectUrl } from '../studio/browser';
import { toHash } from '../studio/link';
import { settingsOf, timeOf } from '../studio/runs';
import { stageValues } from '../studio/settings';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';
import { titleOf } from './RunGroup';
import type { Place } from './Wall';

interface Props {
  place: Place | undefined;
  onMove: (index: number) => void;
  onClose: () => void;
}

/** One picture, large, with its recipe. */
export function PictureDialog({ place, onMove, onClose }: Props) {
  const there = place?.run.pictures[place.index] !== undefined;
  return (
    <ModalOverlay
      className="veil"
      isDismissable
      isOpen={there}
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal className="sheet">
        <Dialog>{place && <Content place={place} onMove={onMove} onClose={onClose} />}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Content({ place: { run, index }, onMove, onClose }: Props & { place: Place }) {
  const picture = run.pictures[index];
  const url = useObjectUrl(picture?.blob);
  const places = run.pictures.flatMap((other, i) => (other ? [i] : []));
  const at = places.indexOf(index);
  const move = (by: number) => {
    const next = places[at + by];
    if (next !== undefined) onMove(next);
  };
  useArrowKeys(move);
  if (picture === undefined) return null;
  return (
    <div className="look">
      <div className="look-picture">
        {url && <img src={url} alt={`${titleOf(run)}, seed ${picture.seed}`} />}
        {places.length > 1 && (
          <div className="look-moves">
            <IconButton
              icon={ChevronLeft}
              label="Previous picture"
              isDisabled={at === 0}
              onPress={() => move(-1)}
            />
            <span className="hint">{`${at + 1} of ${places.length}`}</span>
            <IconButton
              icon={ChevronRight}
              label="Next picture"
              isDisabled={at === places.length - 1}
              onPress={() => move(1)}
            />
          </div>
        )}
      </div>
      <div className="look-words">
        <Heading slot="title" level={2}>
          {titleOf(run)}
        </Heading>
        <Recipe place={{ run, index }} />
        <Actions place={{ run, index }} onClose={onClose} />
      </div>
      <IconButton icon={X} label="Close" className="close" onPress={onClose} />
    </div>
  );
}

/** The arrow keys go to the pictures beside, wherever in the dialog the focus is. */
function useArrowKeys(move: (by: number) => void) {
  useEffect(() => {
    const press = ({ key }: KeyboardEvent) => {
      if (key === 'ArrowLeft') move(-1);
      if (key === 'ArrowRight') move(1);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });
}

function Recipe({ place: { run, index } }: { place: Place }) {
  const { server } = useStudio();
  const { settings } = run;
  const of = (stage: 'prior' | 'decoder') => {
    const { steps, guidance } = stageValues(stage, settings, server.model);
    return `${steps} steps, guidance ${guidance}`;
  };
  const rows = {
    Seed: run.pictures[index]?.seed,
    Sampling: settings.sampling === 'fast' ? 'Fast' : 'Default',
    ...(settings.kind === 'create' && { Prior: of('prior') }),
    Decoder: of('decoder'),
    Made: timeOf(run).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
  };
  return (
    <dl className="recipe">
      {Object.entries(rows).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ place: { run, index }, onClose }: { place: Place; onClose: () => void }) {
  const { again, choose, removePicture, show, work } = useStudio();
  const picture = run.pictures[index];
  if (picture === undefined) return null;
  const { settings } = run;
  const link = toHash(settingsOf(run, picture), true);
  const put = (text: string, words: string) => copy(text).then(() => show(words));
  const leave = (act: () => void) => () => {
    onClose();
    act();
  };
  const name = fileName(settings.prompt, picture.seed, picture.blob.type);
  const all = [
    [Download, 'Download', () => download(picture.blob, name)],
    [Shuffle, 'Vary this', leave(() => choose(picture.blob))],
    [Repeat2, 'Same seed again', leave(() => again(run, picture))],
    ...(settings.kind === 'create'
      ? ([[Copy, 'Copy prompt', () => put(settings.prompt, 'Prompt copied')]] as const)
      : []),
    [Link2, 'Copy link', () => put(new URL(link, location.href).href, 'Link copied')],
    ...(work?.id === run.id
      ? []
      : ([[Trash2, 'Delete', leave(() => removePicture(run, index))]] as const)),
  ] as const;
  return (
    <div className="look-actions">
      {all.map(([Icon, label, act]) => (
        <Button key={label} className="button small" onPress={act}>
          <Icon aria-hidden size={17} strokeWidth={1.75} />
          {label}
        </Button>
      ))}
    </div>
  );
}
