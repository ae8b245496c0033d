import { Monitor, Moon, Sun } from 'lucide-react';
import { useTheme } from '../studio/browser';
import type { ServerState } from '../studio/use-model';
import { useStudio } from '../studio/use-studio';
import mark from '../style/mark.svg';
import { IconButton } from './IconButton';

const states: Record<ServerState, string> = {
  asking: 'Looking for the server',
  ready: 'Ready',
  none: 'No worker serves a model',
  gone: 'The server does not answer',
  key: 'A key is needed',
};
const icons = { system: Monitor, light: Sun, dark: Moon };

export function Header() {
  const { server } = useStudio();
  const [theme, turn] = useTheme();
  const words = server.state === 'ready' ? server.model?.id : states[server.state];
  return (
    <header className="header">
      <h1 className="brand">
        <img src={mark} alt="" width={30} height={30} />
        Karlo
      </h1>
      <p className="server" data-state={server.state}>
        <span className="unseen">Server: </span>
        {words}
      </p>
      <IconButton icon={icons[theme]} label={`Colours: ${theme}`} onPress={turn} />
    </header>
  );
}
