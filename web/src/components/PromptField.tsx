import { History } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import {
  Button,
  Label,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  TextArea,
  TextField,
} from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { examplesFor } from '../state/examples';
import { hasPrompt, maxPromptLength } from '../state/settings';

/** Prompts that the menu of earlier ones offers. */
const maxEarlier = 20;

export function PromptField() {
  const { form, server } = useAppState();
  return (
    <div className="prompt">
      <PromptText label="Prompt" placeholder="Describe the image you want" />
      <fieldset className="examples">
        <legend className="visually-hidden">Examples</legend>
        {examplesFor(server.model?.id).map((prompt) => (
          <Button key={prompt} className="example" onPress={() => form.change({ prompt })}>
            {prompt}
          </Button>
        ))}
      </fieldset>
    </div>
  );
}

/** The prompt, in which Enter starts the run, and a menu of earlier ones. */
export function PromptText({ label, placeholder }: { label: string; placeholder: string }) {
  const { form, start } = useAppState();
  const submitOnEnter = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      start();
    }
  };
  return (
    <div className="prompt-text">
      <TextField
        className="field"
        maxLength={maxPromptLength}
        value={form.settings.prompt}
        onChange={(prompt) => form.change({ prompt })}
      >
        <Label>{label}</Label>
        <TextArea
          rows={3}
          className="input prompt-input"
          placeholder={placeholder}
          onKeyDown={submitOnEnter}
        />
      </TextField>
      <EarlierPrompts />
    </div>
  );
}

function EarlierPrompts() {
  const { form, history } = useAppState();
  const prompts = new Set(
    history.runs.flatMap(({ settings }) => (hasPrompt(settings) ? [settings.prompt] : [])),
  );
  prompts.delete('');
  if (prompts.size === 0) return null;
  return (
    <MenuTrigger>
      <Button className="button small quiet earlier-prompts">
        <History aria-hidden size={16} />
        Earlier prompts
      </Button>
      <Popover className="popover menu-popover" placement="bottom end">
        <Menu className="menu" aria-label="Earlier prompts">
          {[...prompts].slice(0, maxEarlier).map((prompt) => (
            <MenuItem key={prompt} className="menu-item" onAction={() => form.change({ prompt })}>
              {prompt}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
