import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { AppContext, useAppState, useNewAppState } from '../state/app-state';
import { CompareDialog } from './CompareDialog';
import { ErrorNotice } from './ErrorNotice';
import { Gallery } from './Gallery';
import { GenerationForm } from './GenerationForm';
import { Header } from './Header';
import { KeyDialog } from './KeyDialog';
import { UndoBar } from './UndoBar';

export function App() {
  const state = useNewAppState();
  const { kind } = state.form.settings;
  // The tab of a prompt has no place for an image.
  const isDragging = useImageAnywhere((image) =>
    state.selectImage(image, kind === 'create' ? 'vary' : kind),
  );
  return (
    <AppContext value={state}>
      <Header />
      <main className="layout">
        <GenerationForm />
        <div className="results">
          <ErrorNotice />
          <Gallery />
        </div>
      </main>
      <CompareDialog />
      <KeyDialog />
      <UndoBar />
      <Message />
      {isDragging && <div className="drop-hint">Drop the image anywhere</div>}
    </AppContext>
  );
}

/** Outside of the root and in the top layer: an open dialog makes everything else inert, and silent. */
function Message() {
  const { message } = useAppState();
  return createPortal(
    <div role="status" data-react-aria-top-layer="true">
      <span key={message.id} className={message.visible ? 'toast' : 'visually-hidden'}>
        {message.text}
      </span>
    </div>,
    document.body,
  );
}

/**
 * Takes an image that is pasted or dropped anywhere on the page. Drop zones take theirs themselves.
 * @returns whether a file is being dragged over the page
 */
function useImageAnywhere(onImage: (image: Blob) => void): boolean {
  const [isDragging, setDragging] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const on = <K extends keyof WindowEventMap>(
      type: K,
      listener: (event: WindowEventMap[K]) => void,
      capture = false,
    ) => window.addEventListener(type, listener, { signal: controller.signal, capture });
    on('paste', ({ clipboardData }) => {
      const image = imageOf(clipboardData);
      if (image) onImage(image);
    });
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      // Otherwise the browser would open the file.
      event.preventDefault();
      setDragging(true);
    });
    on('dragleave', ({ relatedTarget }) => relatedTarget === null && setDragging(false));
    on('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      onImage(file);
    });
    // Drop zones stop the event.
    on('drop', () => setDragging(false), true);
    return () => controller.abort();
  }, [onImage]);
  return isDragging;
}

function imageOf(data: DataTransfer | null): File | undefined {
  return [...(data?.files ?? [])].find(({ type }) => type.startsWith('image/'));
}
