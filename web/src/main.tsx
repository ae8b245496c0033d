import { StrictMode } from 'react';
import { I18nProvider } from 'react-aria-components';
import { createRoot } from 'react-dom/client';
import '@fontsource-variable/source-serif-4/wght.css';
import { App } from './components/App';
import './style/base.css';
import './style/controls.css';
import './style/form.css';
import './style/gallery.css';
import './style/dialog.css';

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <I18nProvider locale="en-US">
      <App />
    </I18nProvider>
  </StrictMode>,
);
