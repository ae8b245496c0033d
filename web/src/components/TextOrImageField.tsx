import { ImageUp, X } from 'lucide-react';
import { FileTrigger, Input, Label, TextField } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import type { TextOrImage } from '../state/inputs';
import { maxPromptLength } from '../state/settings';
import { acceptedTypes } from '../state/source';
import { IconButton } from './IconButton';

interface Props {
  label: string;
  value: TextOrImage;
  onChange: (changes: Partial<TextOrImage>) => void;
}

/** A text, or an image that replaces it. */
export function TextOrImageField({ label, value, onChange }: Props) {
  const { checkImage } = useAppState().inputs;
  const select = async (file: File | undefined) => {
    if (file && (await checkImage(file))) onChange({ image: file });
  };
  return (
    <div className="text-or-image">
      {value.image ? (
        <ChosenImage label={label} image={value.image} />
      ) : (
        <TextField
          className="field"
          maxLength={maxPromptLength}
          value={value.text}
          onChange={(text) => onChange({ text })}
        >
          <Label>{label}</Label>
          <Input className="input" placeholder="Describe it, or choose an image" />
        </TextField>
      )}
      {value.image ? (
        <IconButton
          icon={X}
          label={`Remove image of ${label}`}
          text="Remove"
          onPress={() => onChange({ image: undefined })}
        />
      ) : (
        <FileTrigger acceptedFileTypes={acceptedTypes} onSelect={(files) => select(files?.[0])}>
          <IconButton icon={ImageUp} label={`Image for ${label}`} text="Image" />
        </FileTrigger>
      )}
    </div>
  );
}

function ChosenImage({ label, image }: { label: string; image: Blob }) {
  const url = useObjectUrl(image);
  return (
    <div className="field">
      <Label>{label}</Label>
      {url && <img className="chosen-image" src={url} alt={`Chosen for ${label}`} />}
    </div>
  );
}
