import { useEffect } from 'react';
import { createPortal } from 'react-dom';
import { Studio, useStudio, useStudioState } from '../studio/use-studio';
import { Header } from './Header';
import { KeyDialog } from './KeyDialog';
import { Notice } from './Notice';
import { Panel } from './Panel';
import { Wall } from './Wall';

export function App() {
  const studio = useStudioState();
  usePastedPictures(studio.choose);
  return (
    <Studio value={studio}>
      <Header />
      <main className="studio">
        <Panel />
        <div className="results">
          <Notice />
          <Wall />
        </div>
      </main>
      <KeyDialog />
      <Said />
    </Studio>
  );
}

/** Beside the page: an open dialog makes all else inert, and so silent, but for the top layer. */
function Said() {
  const { said } = useStudio();
  return createPortal(
    <div role="status" data-react-aria-top-layer="true">
      <span key={said.id} className={said.shown ? 'toast' : 'unseen'}>
        {said.words}
      </span>
    </div>,
    document.body,
  );
}

/** A picture pasted anywhere is one to vary. */
function usePastedPictures(choose: (picture: Blob) => void) {
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])];
      const picture = files.find(({ type }) => type.startsWith('image/'));
      if (picture) choose(picture);
    };
    window.addEventListener('paste', paste);
    return () => window.removeEventListener('paste', paste);
  }, [choose]);
}
