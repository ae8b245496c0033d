import { NETWORKS_OF, type Task } from '../../networks/registry.js';
import { missingTokenizerFiles } from '../../tokenizer/files.js';
import { SCHEDULERS_OF } from '../scheduler-config.js';
import { chooseWeights } from './weight-files.js';

/**
 * The files that a task needs and a model does not have.
 * @param namesIn returns the names of the files in a subfolder of the model
 */
export function missingFiles(task: Task, namesIn: (folder: string) => readonly string[]): string[] {
  const missing: string[] = [];
  const check = (folder: string, name: string) => {
    if (!namesIn(folder).includes(name)) missing.push(`${folder}/${name}`);
  };
  for (const network of NETWORKS_OF[task]) {
    check(network, 'config.json');
    if (!chooseWeights(network, namesIn(network))) missing.push(`weights in ${network}/`);
  }
  for (const scheduler of SCHEDULERS_OF[task]) check(scheduler, 'scheduler_config.json');
  missing.push(...missingTokenizerFiles(namesIn('tokenizer')).map((name) => `tokenizer/${name}`));
  if (task === 'imageVariation') check('feature_extractor', 'preprocessor_config.json');
  return missing;
}
