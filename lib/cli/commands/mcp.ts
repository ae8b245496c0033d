import { type Command, Option } from 'commander';
import { defaults, logLevels, type ServerSettings } from '../../serve/settings.js';
import { importWith, serverPackages } from '../../util/optional-packages.js';
import { positive } from '../flag-values.js';
import {
  addOptions,
  type ServerLoadFlags,
  serverLoadOptions,
  serverLoadOptionsOf,
} from '../flags.js';

interface Flags extends ServerLoadFlags {
  maxN: number;
  logLevel: ServerSettings['logLevel'];
}

/** `karlo mcp`: tools for clients of the Model Context Protocol. */
export function addMcp(program: Command): void {
  const command = program
    .command('mcp')
    .description('serve tools to an MCP client such as Claude Desktop, over stdin and stdout')
    .option('--max-n <number>', 'maximum number of images per call', positive, defaults.maxN)
    .addOption(
      new Option('--log-level <level>', 'least severe level that is logged, on stderr')
        .choices(logLevels)
        .default(defaults.logLevel),
    )
    .optionsGroup('Model options:');
  addOptions(command, serverLoadOptions)
    .addHelpText(
      'after',
      `
The client starts this command, and ends it. The first call of a tool loads the model.

Examples:
  karlo mcp
  karlo mcp --model ./karlo-v1-alpha --dtype bfloat16
  karlo serve                    # the same tools for clients that connect to http://127.0.0.1:8080/mcp`,
    )
    .action(start);
}

async function start(flags: Flags): Promise<void> {
  // Imported here, because no other command needs the libraries.
  const { runMcp } = await importWith(serverPackages, () => import('../../serve/mcp/stdio.js'));
  const { maxN, logLevel } = flags;
  await runMcp({ karlo: serverLoadOptionsOf(flags), maxN, logLevel });
}
