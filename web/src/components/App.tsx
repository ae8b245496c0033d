import { useEffect } from 'react';
import { createPortal } from 'react-dom';
import { AppContext, useAppState, useNewAppState } from '../state/app-state';
import { ErrorNotice } from './ErrorNotice';
import { Gallery } from './Gallery';
import { GenerationForm } from './GenerationForm';
import { Header } from './Header';
import { KeyDialog } from './KeyDialog';

export function App() {
  const state = useNewAppState();
  usePastedImage(state.selectSource);
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
      <KeyDialog />
      <Message />
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

/** An image that is pasted anywhere on the page is selected for variation. */
function usePastedImage(onPaste: (image: Blob) => void) {
  useEffect(() => {
    const listener = ({ clipboardData }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])];
      const image = files.find(({ type }) => type.startsWith('image/'));
      if (image) onPaste(image);
    };
    window.addEventListener('paste', listener);
    return () => window.removeEventListener('paste', listener);
  }, [onPaste]);
}
