import type { KeyboardEvent } from 'react';
import { Button, Label, TextArea, TextField } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { examplesFor } from '../state/examples';
import { maxPromptLength } from '../state/settings';

export function PromptField() {
  const { form, server, start } = useAppState();
  const submitOnEnter = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      start();
    }
  };
  return (
    <div className="prompt">
      <TextField
        className="field"
        maxLength={maxPromptLength}
        value={form.settings.prompt}
        onChange={(prompt) => form.change({ prompt })}
      >
        <Label>Prompt</Label>
        <TextArea
          rows={3}
          className="input prompt-input"
          placeholder="Describe the image you want"
          onKeyDown={submitOnEnter}
        />
      </TextField>
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
