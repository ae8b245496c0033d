import { Undo2, X } from 'lucide-react';
import { Button } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { IconButton } from './IconButton';

/** Stays until it is used or dismissed, so that nobody has to hurry. */
export function UndoBar() {
  const { deleted, undo, dismiss } = useAppState().deletion;
  if (deleted === undefined) return null;
  return (
    <section className="undo-bar" aria-label="Deleted images">
      <span role="status">{deleted.text}</span>
      {/* What had the focus has been deleted. */}
      <Button key={deleted.runs[0]?.id} className="button small" onPress={undo} autoFocus>
        <Undo2 aria-hidden size={17} />
        Undo
      </Button>
      <IconButton icon={X} label="Dismiss" onPress={dismiss} />
    </section>
  );
}
