import type { TemplateKind } from '../../domain/template/template-kinds.ts';

/** The options of a server. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** A path: a unix socket instead of a port. */
  readonly socket?: string | undefined;
  readonly readOnly: boolean;
  /** Nothing but Host Factory's scripts, at no address, those of all registered providers. */
  readonly scriptsOnly: boolean;
  /** File of bearer tokens. */
  readonly tokens?: string | undefined;
  /** Calls per minute allowed to each client. */
  readonly rate: number;
  /** Whether an assistant may change something, as far as the role of its token goes. */
  readonly mcpChanges: boolean;
  readonly traceFile?: string | undefined;
  /** A registered provider, instead of the one that the environment tells. */
  readonly provider?: string | undefined;
}

/** The options of an assistant's session on standard input and output. */
export interface AssistantOptions extends Pick<ServeOptions, 'provider' | 'traceFile'> {
  /** Whether there are tools that change something. */
  readonly allowChanges: boolean;
  /** Who is asking; stored with the events. */
  readonly user?: string | undefined;
}

/** A provider instance to be set up: its two files, and on request its registration. */
export interface SetUpOrder {
  readonly instance: string;
  /** Becomes HF_PROVIDER_CONFDIR. */
  readonly directory: string;
  /** A first template of each. */
  readonly kinds: readonly TemplateKind[];
  readonly region: string;
  /** Absent: the role of the host. */
  readonly credentialsFile?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly image: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Instead of those of the worked templates. */
  readonly vmTypes: readonly string[];
  readonly instanceProfile?: string | undefined;
  readonly keyName?: string | undefined;
  readonly fleetRole?: string | undefined;
  readonly groupName?: string | undefined;
  /** Default: the name it is registered by, else that of its folder. */
  readonly plugin?: string | undefined;
  /** Merge the registration into Host Factory's files. */
  readonly register: boolean;
  /** Replace existing files; a copy of each is kept. */
  readonly force: boolean;
}

export interface Registration {
  readonly file: string;
  readonly list: 'providerplugins' | 'providers';
  readonly entry: Readonly<Record<string, unknown>>;
  readonly state: 'to be added by you' | 'added' | 'taken over' | 'was there';
  /** The plug-in that a provider ran before it was taken over. */
  readonly before?: string;
}

/** A provider to be taken out of Host Factory's files. */
export interface UnregisterOrder {
  readonly instance: string;
  /** Whether somebody has named it; the usual name else. */
  readonly isNamed: boolean;
  /** Otherwise only answers with what would change. */
  readonly apply: boolean;
}

/** What unregistering a provider changes, or would change. */
export interface Unregistration {
  /** Absent where only a plug-in is left, which no provider runs. */
  readonly instance?: string;
  readonly files: readonly string[];
  /** Copies of what was changed. */
  readonly backups: readonly string[];
  /** Taken out too, where no other provider runs it. */
  readonly plugin?: string;
  /** Requestors that still name the provider, in this file. */
  readonly requestors: readonly string[];
  readonly requestorsFile: string;
}

export interface SetUpAnswer {
  readonly written: readonly string[];
  /** Copies of what was replaced. */
  readonly backups: readonly string[];
  readonly registrations: readonly Registration[];
}

/** How one field of another installation's files is taken here. */
export interface ForeignField {
  readonly file: string;
  /** Absent for the provider configuration. */
  readonly templateId?: string;
  readonly field: string;
  readonly use: 'used' | 'ignored' | 'unknown';
  /** As what it is used, or why it is not. */
  readonly why: string;
}

/** Another plug-in's files, to be taken over. */
export interface ImportOrder {
  /** A folder with them, or one of them. */
  readonly path: string;
  /** Default: as they name it. Of several providers the one to take. */
  readonly instance?: string | undefined;
  /** Folder to write configuration and templates to. */
  readonly write?: string | undefined;
  /** Replace existing files; a copy of each is kept. */
  readonly force: boolean;
}

export interface ImportReport {
  readonly source: 'IBM Symphony' | 'IBM LSF' | 'Open Resource Broker';
  readonly instance: string;
  /** Every field, and how it is taken. */
  readonly fields: readonly ForeignField[];
  /** What a person has to look at. */
  readonly decisions: readonly Omit<ForeignField, 'use'>[];
  /** What cannot be read or used as a whole. */
  readonly faults: readonly string[];
  /** Where the files themselves can be served: then they are what is judged. */
  readonly templatesFile?: string;
  readonly written: readonly string[];
  /** Copies of what was replaced. */
  readonly backups: readonly string[];
}
