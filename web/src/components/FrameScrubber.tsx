import { Download } from 'lucide-react';
import { useState } from 'react';
import { Button, Slider, SliderThumb, SliderTrack } from 'react-aria-components';
import { download, useObjectUrl } from '../state/browser';
import { fileNameOf, type Run, titleOf } from '../state/runs';

interface Props {
  run: Run;
  onOpen: (index: number) => void;
}

/** The frames of an interpolation, one at a time, and its animation. */
export function FrameScrubber({ run, onOpen }: Props) {
  const [position, setPosition] = useState(0);
  const indices = run.images.flatMap((image, i) => (image ? [i] : []));
  const index = indices[Math.min(position, indices.length - 1)] ?? 0;
  const url = useObjectUrl(run.images[index]?.blob);
  const { animation } = run;
  if (indices.length === 0) return null;
  return (
    <div className="scrubber">
      <Button
        className="tile-image"
        aria-label={`Open frame ${index + 1}`}
        onPress={() => onOpen(index)}
      >
        {url && <img src={url} alt={`${titleOf(run)}, frame ${index + 1}`} />}
      </Button>
      <div className="scrubber-controls">
        <span className="hint">{`Frame ${index + 1} of ${run.images.length}`}</span>
        <Slider
          aria-label="Frame"
          className="slider"
          minValue={0}
          maxValue={Math.max(1, indices.length - 1)}
          value={Math.min(position, indices.length - 1)}
          onChange={(value) => setPosition(value as number)}
        >
          <SliderTrack className="slider-track">
            <SliderThumb className="slider-thumb" />
          </SliderTrack>
        </Slider>
        {animation && (
          <Button
            className="button small"
            onPress={() => download(animation, fileNameOf(run, index, animation.type))}
          >
            <Download aria-hidden size={17} />
            Download animation
          </Button>
        )}
      </div>
    </div>
  );
}
