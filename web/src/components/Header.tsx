import { Monitor, Moon, Sun } from 'lucide-react';
import { useAppState } from '../state/app-state';
import { useTheme } from '../state/browser';
import type { ServerStatus } from '../state/use-server';
import logo from '../style/logo.svg';
import { IconButton } from './IconButton';

const statusTexts: Record<ServerStatus, string> = {
  connecting: 'Connecting…',
  ready: 'Ready',
  'no-model': 'No worker available',
  unreachable: 'Server unreachable',
  'key-required': 'API key required',
};
const themeTexts = { system: 'System', light: 'Light', dark: 'Dark' };
const themeIcons = { system: Monitor, light: Sun, dark: Moon };

export function Header() {
  const { server } = useAppState();
  const [theme, selectNextTheme] = useTheme();
  const text = server.status === 'ready' ? server.model?.id : statusTexts[server.status];
  return (
    <header className="header">
      <h1 className="brand">
        <img src={logo} alt="" width={30} height={30} />
        Karlo
      </h1>
      <p className="server" data-status={server.status}>
        <span className="visually-hidden">Server: </span>
        {text}
      </p>
      <IconButton
        icon={themeIcons[theme]}
        label={`Theme: ${theme}`}
        text={themeTexts[theme]}
        onPress={selectNextTheme}
      />
    </header>
  );
}
