import type { EvaluationProgress } from '../../eval/plan.js';
import { showPhases } from './phase-progress.js';

const labels = {
  reference: 'Reading the reference',
  load: 'Loading the model',
  generate: 'Generating images',
  score: 'Scoring images',
};

/** Shows the progress of an evaluation on stderr: a bar in a terminal, otherwise a line for every tenth. */
export function showEvaluation() {
  const format = '{label} [{bar}] {value}/{total}  {eta_formatted} left';
  const bar = showPhases({ format, etaBuffer: 100 });
  return {
    update({ phase, done, total }: EvaluationProgress) {
      const label = labels[phase];
      if (phase === 'load') return bar.update(phase, undefined, `${label} …`);
      const tenth = Math.floor((10 * done) / total);
      const part = bar.drawsBars ? phase : `${phase} ${tenth}`;
      bar.update(part, { done, total, payload: { label } }, `${label}: ${done} of ${total}`);
    },
    stop: bar.stop,
  };
}
