import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { packageVersion } from '../../util/package.js';
import { ApiError, badRequest } from '../errors.js';
import type { ToolCall } from './run-job.js';
import type { Tool } from './tools.js';

/** What a server of the Model Context Protocol works with. */
export interface McpContext extends Omit<ToolCall, 'extra'> {
  readonly tools: ReadonlyMap<string, Tool>;
  /** What a client reads about an error. */
  readonly explain: (error: unknown) => string;
}

const info = { name: 'karlo', title: 'Karlo', version: packageVersion() };

/** A server for one connection. Its tools check their arguments themselves, for the messages of the HTTP API. */
export function createMcpServer(context: McpContext): McpServer {
  const mcp = new McpServer(info, { capabilities: { tools: {} } });
  const tools = [...context.tools.values()].map(({ description }) => description);
  mcp.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  mcp.server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const signal = AbortSignal.any([context.signal, extra.signal]);
    return callTool(params, { ...context, signal, extra }, context);
  });
  return mcp;
}

interface CallParameters {
  readonly name: string;
  readonly arguments?: object | undefined;
}

/** Runs a tool. An error is a result, which a language model can read. */
async function callTool(
  { name, arguments: args = {} }: CallParameters,
  call: ToolCall,
  { tools, explain }: McpContext,
): Promise<CallToolResult> {
  try {
    return await findTool(tools, name).call(args, call);
  } catch (error) {
    // Of a call that the client has cancelled, it reads no result.
    if (call.signal.aborted && !(error instanceof ApiError)) throw error;
    return { isError: true, content: [{ type: 'text', text: explain(error) }] };
  }
}

function findTool(tools: McpContext['tools'], name: string): Tool {
  const tool = tools.get(name);
  if (tool !== undefined) return tool;
  const names = [...tools.keys()].join(', ');
  throw badRequest(
    'name',
    `Expected one of ${names} but received the tool '${name.slice(0, 100)}'`,
  );
}
