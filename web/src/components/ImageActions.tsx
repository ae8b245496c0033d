import {
  Columns2,
  Combine,
  Copy,
  Download,
  Ellipsis,
  ImageIcon,
  ImageUpscale,
  Link2,
  type LucideIcon,
  Paintbrush,
  Repeat2,
  Shuffle,
  Trash2,
} from 'lucide-react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { copy, copyImage, download } from '../state/browser';
import { toHash } from '../state/link';
import { fileNameOf, type GeneratedImage, type Run, settingsOf } from '../state/runs';
import { hasPrompt } from '../state/settings';
import { IconButton } from './IconButton';

interface Action {
  icon: LucideIcon;
  label: string;
  act: () => void;
  /** Whether it leads to another part of the page, so that the dialog closes. */
  leaves?: boolean;
  isDisabled?: boolean;
}

interface Props {
  run: Run;
  index: number;
  image: GeneratedImage;
}

const notAllowed = 'The browser does not allow copying';

/** What can be done with an image. */
function useImageActions({ run, index, image }: Props): readonly Action[] {
  const { selectImage, reuseSettings, deletion, compare, finish, progress, showToast } =
    useAppState();
  const { settings } = run;
  const { blob } = image;
  const report = async (copied: Promise<boolean>, text: string) =>
    showToast((await copied) ? text : notAllowed);
  const link = () =>
    new URL(toHash(settingsOf(run, image), { withSeed: true }), location.href).href;
  const ref = { runId: run.id, index };
  return [
    ...(image.isDraft
      ? [
          {
            ...{ icon: ImageUpscale, label: 'Finish', leaves: true },
            isDisabled: progress[run.id] !== undefined,
            act: () => finish(run, [index]),
          },
        ]
      : []),
    {
      ...{ icon: Download, label: 'Download' },
      act: () => download(blob, fileNameOf(run, index)),
    },
    {
      ...{ icon: Shuffle, label: 'Vary image', leaves: true },
      act: () => selectImage(blob, 'vary'),
    },
    {
      ...{ icon: Combine, label: 'Add to mix', leaves: true },
      act: () => selectImage(blob, 'mix'),
    },
    {
      ...{ icon: Paintbrush, label: 'Edit image', leaves: true },
      act: () => selectImage(blob, 'edit'),
    },
    {
      ...{ icon: Repeat2, label: 'Reuse settings', leaves: true },
      act: () => reuseSettings(run, image),
    },
    {
      ...{ icon: Columns2, label: 'Compare', leaves: true },
      act: () => compare(ref),
    },
    {
      ...{ icon: ImageIcon, label: 'Copy image' },
      act: () => report(copyImage(blob), 'Image copied'),
    },
    ...(hasPrompt(settings)
      ? [
          {
            ...{ icon: Copy, label: 'Copy prompt' },
            act: () => report(copy(settings.prompt), 'Prompt copied'),
          },
        ]
      : []),
    {
      ...{ icon: Link2, label: 'Copy link' },
      act: () => report(copy(link()), 'Link copied'),
    },
    {
      ...{ icon: Trash2, label: 'Delete', leaves: true },
      act: () => deletion.removeImage(run, index),
    },
  ];
}

/** All actions as buttons. */
export function ImageActions({ onLeave, ...props }: Props & { onLeave: () => void }) {
  return (
    <>
      {useImageActions(props).map(({ icon: Icon, label, act, leaves, isDisabled = false }) => (
        <Button
          key={label}
          className="labelled-button"
          isDisabled={isDisabled}
          onPress={() => {
            if (leaves) onLeave();
            act();
          }}
        >
          <Icon aria-hidden size={18} strokeWidth={1.75} />
          {label}
        </Button>
      ))}
    </>
  );
}

/** The most frequent action as a button, and the others in a menu. */
export function ImageMenu(props: Props) {
  const [first, ...others] = useImageActions(props) as [Action, ...Action[]];
  const { icon, label, act, isDisabled = false } = first;
  return (
    <>
      <IconButton {...{ icon, label, isDisabled }} text={label} onPress={act} />
      <MenuTrigger>
        <IconButton icon={Ellipsis} label={`More about image ${props.index + 1}`} text="More" />
        <Popover className="popover menu-popover">
          <Menu className="menu" aria-label="Actions">
            {others.map(({ icon: Icon, label, act }) => (
              <MenuItem key={label} className="menu-item" onAction={act}>
                <Icon aria-hidden size={17} strokeWidth={1.75} />
                {label}
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      </MenuTrigger>
    </>
  );
}
