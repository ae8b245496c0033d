import { useCallback, useState } from 'react';
import type { Model } from '../api/types';
import { type Ends, type Inputs, isEmpty, type Part, partLimits } from './inputs';
import type { Kind } from './settings';
import { readSource, type Source, toSquare } from './source';

let lastPartId = 0;

export function newPart(part: Partial<Part> = {}): Part {
  lastPartId += 1;
  return { text: '', weight: 0.5, ...part, id: lastPartId };
}

const emptyEnds: Ends = [{ text: '' }, { text: '' }];

/** What the form's tabs work on: images and texts besides the settings. */
export function useInputs(model: Model | undefined) {
  const [source, setSource] = useState<Source>();
  const [mask, setMask] = useState<Blob>();
  const [parts, setParts] = useState<readonly Part[]>(() => [newPart(), newPart()]);
  const [ends, setEnds] = useState<Ends>(emptyEnds);
  const [uploadError, setUploadError] = useState<string>();

  const changeSource = useCallback((source: Source | undefined) => {
    setSource(source);
    setMask(undefined);
  }, []);

  /** Reads an image; undefined if it cannot be used, for a reason that the form shows. */
  const checkImage = useCallback(
    async (image: Blob): Promise<Source | undefined> => {
      try {
        const source = await readSource(image, model);
        setUploadError(undefined);
        return source;
      } catch (error) {
        setUploadError((error as Error).message);
        return undefined;
      }
    },
    [model],
  );

  /**
   * Gives an image to a tab.
   * @returns whether the image can be used
   */
  const addImage = useCallback(
    async (image: Blob, kind: Kind): Promise<boolean> => {
      const source = await checkImage(image);
      if (source === undefined) return false;
      if (kind === 'mix') setParts((now) => withImage(now, image));
      else if (kind === 'interpolate') setEnds((now) => withEnd(now, image));
      else changeSource(source);
      return true;
    },
    [checkImage, changeSource],
  );

  /** The inputs of a run of a kind. */
  const inputsOf = async (kind: Kind): Promise<Inputs> => {
    if (kind === 'mix') return { parts };
    if (kind === 'interpolate') return { ends };
    if (kind === 'create' || source === undefined) return {};
    return { source: await toSquare(source), ...(kind === 'edit' && { mask }) };
  };

  /** Puts the inputs of a run back into the form. */
  const restoreInputs = async ({ source, mask, parts, ends }: Inputs) => {
    if (parts) setParts(parts.map(newPart));
    if (ends) setEnds(ends);
    if (source === undefined) return;
    const checked = await checkImage(source);
    changeSource(checked);
    if (checked) setMask(mask);
  };

  return {
    ...{ source, mask, parts, ends, uploadError },
    ...{ changeSource, setMask, setParts, setEnds },
    ...{ checkImage, addImage, inputsOf, restoreInputs },
  };
}

/** The parts with an image in the first empty one, in a new one, or else in the last. */
function withImage(parts: readonly Part[], image: Blob): readonly Part[] {
  const empty = parts.findIndex(isEmpty);
  if (empty >= 0) return parts.with(empty, { ...(parts[empty] as Part), image });
  if (parts.length < partLimits.max) return [...parts, newPart({ image })];
  return parts.with(-1, { ...(parts.at(-1) as Part), image });
}

/** The ends with an image in the first if that is empty, or else in the second. */
function withEnd([from, to]: Ends, image: Blob): Ends {
  return isEmpty(from) ? [{ ...from, image }, to] : [from, { ...to, image }];
}
