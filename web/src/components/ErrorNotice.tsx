import { CircleAlert, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import type { Failure, FailureKind } from '../api/failure';
import { useAppState } from '../state/app-state';
import { IconButton } from './IconButton';

const titles: Record<FailureKind, string> = {
  unauthorized: 'API key required',
  rejected: "The server can't process this request",
  busy: 'The server is busy',
  failed: 'Something went wrong',
  unreachable: 'Connection lost',
  storage: "Images can't be saved in this browser",
};

/** Failures that would only repeat. */
const notRetriable = new Set<FailureKind>(['rejected', 'storage']);

/** What went wrong, and a button to try again if that may help. */
export function ErrorNotice() {
  const { failed, setFailed, retry } = useAppState();
  const { failure, run } = failed ?? {};
  return (
    <div role="alert">
      {failure && (
        <div className="notice">
          <CircleAlert aria-hidden size={20} />
          <div>
            <strong>{titles[failure.kind]}</strong>
            <p>{failure.message}</p>
          </div>
          {run && !notRetriable.has(failure.kind) && (
            <Button className="button small" onPress={() => retry(run)}>
              Try again
              <Countdown failure={failure} />
            </Button>
          )}
          <IconButton icon={X} label="Dismiss" onPress={() => setFailed(undefined)} />
        </div>
      )}
    </div>
  );
}

/** The seconds that the server asks to wait. */
function Countdown({ failure }: { failure: Failure }) {
  const [seconds, setSeconds] = useState(failure.retryAfter ?? 0);
  useEffect(() => {
    setSeconds(failure.retryAfter ?? 0);
    const timer = setInterval(() => setSeconds((now) => Math.max(0, now - 1)), 1000);
    return () => clearInterval(timer);
  }, [failure]);
  return seconds > 0 && <span aria-hidden className="hint">{` in ${seconds} s`}</span>;
}
