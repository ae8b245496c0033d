import { Check } from 'lucide-react';
import { useId } from 'react';
import { Checkbox } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import {
  canDraft,
  candidateChoices,
  makesDrafts,
  ranges,
  type Sampling,
  samplingLabel,
  samplings,
} from '../state/settings';
import { SegmentedField } from './SegmentedField';

export function CountField() {
  const { form, server } = useAppState();
  const max = Math.min(ranges.count[1], server.model?.karlo.max_n ?? ranges.count[1]);
  return (
    <SegmentedField
      label="Images"
      value={form.settings.count}
      values={Array.from({ length: max }, (_, i) => i + 1)}
      onChange={(count) => form.change({ count })}
    >
      {String}
    </SegmentedField>
  );
}

/** Ends runs with drafts, of which only the chosen ones are finished. */
export function DraftsField() {
  const { form } = useAppState();
  const { kind, draftsFirst } = form.settings;
  const hintId = useId();
  if (!canDraft(kind)) return null;
  return (
    <div className="checkbox-field">
      <Checkbox
        className="checkbox"
        aria-describedby={hintId}
        isSelected={draftsFirst}
        onChange={(draftsFirst) => form.change({ draftsFirst })}
      >
        <span className="checkbox-box">
          <Check aria-hidden size={15} strokeWidth={3} />
        </span>
        Drafts first
      </Checkbox>
      <p className="hint" id={hintId}>
        See small previews quickly, then enlarge the ones you like.
      </p>
    </div>
  );
}

/** The model needs an image encoder to choose among candidates. Of drafts, people choose. */
export function CandidatesField() {
  const { form, server } = useAppState();
  if (server.model?.karlo.image_variation === false || makesDrafts(form.settings)) return null;
  return (
    <SegmentedField
      label="Drafts per image"
      value={form.settings.candidates}
      values={candidateChoices}
      onChange={(candidates) => form.change({ candidates })}
    >
      {(count) => (
        <>
          {count}
          <span className="hint">{count > 1 && 'the best'}</span>
        </>
      )}
    </SegmentedField>
  );
}

export function SamplingField() {
  const { form, server } = useAppState();
  const steps = (name: Sampling) => server.model?.karlo.samplings[name].decoder.steps;
  return (
    <SegmentedField
      label="Sampling"
      value={form.settings.sampling}
      values={samplings}
      onChange={(sampling) => form.change({ sampling })}
      className="stacked"
    >
      {(name) => (
        <>
          {samplingLabel(name)}
          <span className="hint">{steps(name) && `${steps(name)} steps`}</span>
        </>
      )}
    </SegmentedField>
  );
}
