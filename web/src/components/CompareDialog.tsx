import { X } from 'lucide-react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import { type GeneratedImage, type Run, titleOf } from '../state/runs';
import { IconButton } from './IconButton';
import { settingsRows } from './ImageDialog';

interface Compared {
  run: Run;
  image: GeneratedImage;
}

/** Two images next to each other, with the settings in which they differ. */
export function CompareDialog() {
  const { compared, setCompared, history } = useAppState();
  const found = compared.flatMap(({ runId, index }) => {
    const run = history.runs.find(({ id }) => id === runId);
    const image = run?.images[index];
    return run && image ? [{ run, image }] : [];
  });
  const close = () => setCompared([]);
  return (
    <ModalOverlay
      className="overlay"
      isDismissable
      isOpen={found.length === 2}
      onOpenChange={(isOpen) => !isOpen && close()}
    >
      <Modal className="modal">
        <Dialog className="compare-dialog">
          <Heading slot="title" level={2}>
            Compare
          </Heading>
          <IconButton icon={X} label="Close" className="close" onPress={close} />
          <div className="compare-images">
            {found.map(({ run, image }) => (
              <ComparedImage key={`${run.id}-${image.seed}`} run={run} image={image} />
            ))}
          </div>
          {found.length === 2 && <Differences images={found} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function ComparedImage({ run, image }: Compared) {
  const url = useObjectUrl(image.blob);
  return url && <img src={url} alt={`${titleOf(run)}, seed ${image.seed}`} />;
}

function Differences({ images }: { images: readonly Compared[] }) {
  const { server } = useAppState();
  const [left = {}, right = {}] = images.map(
    ({ run, image }): Record<string, string> => ({
      Title: titleOf(run),
      ...settingsRows(run, image, server.model),
    }),
  );
  const names = Object.keys({ ...left, ...right }).filter((name) => left[name] !== right[name]);
  return (
    <table className="differences">
      <caption className="visually-hidden">Settings in which the images differ</caption>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{left[name] ?? '–'}</td>
            <td>{right[name] ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
