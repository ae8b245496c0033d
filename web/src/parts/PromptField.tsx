import type { KeyboardEvent } from 'react';
import { Button, Label, TextArea, TextField } from 'react-aria-components';
import { examplesFor } from '../studio/examples';
import { useStudio } from '../studio/use-studio';

export function PromptField() {
  const { form, server, start } = useStudio();
  const submit = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      start();
    }
  };
  return (
    <div className="prompt">
      <TextField
        className="field"
        maxLength={2000}
        value={form.settings.prompt}
        onChange={(prompt) => form.change({ prompt })}
      >
        <Label>Prompt</Label>
        <TextArea
          rows={3}
          className="input prompt-input"
          placeholder="Describe a picture"
          onKeyDown={submit}
        />
      </TextField>
      <fieldset className="chips">
        <legend className="unseen">Examples</legend>
        {examplesFor(server.model?.id).map((prompt) => (
          <Button key={prompt} className="chip" onPress={() => form.change({ prompt })}>
            {prompt}
          </Button>
        ))}
      </fieldset>
    </div>
  );
}
