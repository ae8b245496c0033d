import { CircleAlert, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import type { Failure, FailureKind } from '../api/failure';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';

const titles: Record<FailureKind, string> = {
  busy: 'The server is busy',
  key: 'The server wants a key',
  gone: 'The server went away',
  refused: 'The server refuses this',
  failed: 'That went wrong',
  unkept: 'This browser does not keep the pictures',
};

/** Where another try would end the same. */
const final = new Set<FailureKind>(['refused', 'unkept']);

/** What went wrong, in clear words, with what can be done. */
export function Notice() {
  const { failure, setFailure, start, ready, work } = useStudio();
  return (
    <div role="alert">
      {failure && (
        <div className="notice" data-kind={failure.kind}>
          <CircleAlert aria-hidden size={20} />
          <div>
            <strong>{titles[failure.kind]}</strong>
            <p>{failure.message}</p>
          </div>
          {ready && !work && !final.has(failure.kind) && (
            <Button className="button small" onPress={start}>
              Try again
              <Wait failure={failure} />
            </Button>
          )}
          <IconButton icon={X} label="Dismiss" onPress={() => setFailure(undefined)} />
        </div>
      )}
    </div>
  );
}

/** Seconds that the server asks to wait. */
function Wait({ failure }: { failure: Failure }) {
  const [seconds, setSeconds] = useState(failure.retryAfter ?? 0);
  useEffect(() => {
    setSeconds(failure.retryAfter ?? 0);
    const timer = setInterval(() => setSeconds((now) => Math.max(0, now - 1)), 1000);
    return () => clearInterval(timer);
  }, [failure]);
  return seconds > 0 && <span aria-hidden className="hint">{` in ${seconds} s`}</span>;
}
