import type { AnyOperation } from '../application/bus/operation.ts';
import { allows, type Role } from '../application/bus/origin.ts';
import { uuid } from '../application/bus/shapes.ts';
import { type OperationName, operations } from '../application/operations.ts';

/** What an operation does to the world; `internal` where it is a part of Host Factory's calls, or for who installs the program. */
type Effect = 'reads' | 'adds' | 'ends' | 'internal';

const effects: Readonly<Record<OperationName, Effect>> = {
  CreateRequest: 'adds',
  SyncRequests: 'ends',
  ReturnMachines: 'ends',
  UpdateMachineStatus: 'ends',
  ArchiveRequests: 'internal',
  Reconcile: 'ends',
  ClearOfferings: 'adds',
  CollectInstanceEvents: 'internal',
  NoteLook: 'internal',
  CollectLaunchTemplates: 'ends',
  RefreshInstanceTypes: 'adds',
  RefreshPrices: 'adds',
  CancelRequest: 'ends',
  ClaimRequest: 'internal',
  CopyState: 'internal',
  RebuildProjection: 'adds',
  ValidateTemplate: 'reads',
  Diagnose: 'reads',
  DiffTemplates: 'reads',
  Explain: 'reads',
  GetConfiguration: 'reads',
  GetTemplate: 'reads',
  GetTemplates: 'internal',
  GetRequestStatus: 'reads',
  GetReturnRequests: 'internal',
  ListRequests: 'reads',
  ListOfferings: 'reads',
  ListPrices: 'reads',
  GetUsage: 'reads',
  ListMachines: 'reads',
  ListTemplates: 'reads',
  ListEvents: 'reads',
  GetOverview: 'reads',
  ListAlerts: 'reads',
  GetProjections: 'reads',
  GetMetrics: 'reads',
  VerifyState: 'internal',
};

/** Who uses the tools, and how far. */
export interface ToolUser {
  readonly role: Role;
  /** Whether tools that change something are there. */
  readonly mayChange: boolean;
}

/** An operation as the Model Context Protocol describes a tool. */
interface OperationTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { readonly [key: string]: unknown; readonly type: 'object'; readonly properties: object };
  readonly outputSchema: { readonly [key: string]: unknown; readonly type: 'object' };
  readonly annotations: { readonly readOnlyHint: boolean; readonly destructiveHint?: boolean };
}

export interface Tool {
  readonly operation: AnyOperation;
  readonly described: OperationTool;
}

/** `ListRequests` is `list_requests`. */
const toolName = (operation: string): string =>
  operation.replaceAll(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

const commandId = { ...uuid, description: 'UUID; repeating the command with it gives the same answer' };

const toolOf = (operation: AnyOperation, effect: Effect): Tool => {
  const { name, title, input, required = [], answer, bus } = operation;
  return {
    operation,
    described: {
      name: toolName(name),
      title,
      description: `${title}.`,
      inputSchema: {
        type: 'object',
        additionalProperties: false,
        properties: { ...input, ...(bus === 'command' && effect !== 'reads' ? { commandId } : {}) },
        required,
      },
      outputSchema: { ...answer, type: 'object' },
      annotations:
        effect === 'reads' ? { readOnlyHint: true } : { readOnlyHint: false, destructiveHint: effect === 'ends' },
    },
  };
};

const names = Object.keys(operations).filter((name): name is OperationName => name in effects);

/** The operations that a user may do, as tools, by their names. */
export const toolsFor = ({ role, mayChange }: ToolUser): ReadonlyMap<string, Tool> =>
  new Map(
    names
      .filter((name) => effects[name] === 'reads' || (mayChange && effects[name] !== 'internal'))
      .filter((name) => allows(role, operations[name].role))
      .map((name) => toolOf(operations[name], effects[name]))
      .map((tool) => [tool.described.name, tool] as const),
  );
