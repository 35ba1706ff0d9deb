/** Something in the account that an answer of `init` may name. */
export interface Choice {
  readonly value: string;
  /** What a person knows it by. */
  readonly about: string;
}

/** What there is to choose from; `why` there is no list, in one line. */
export interface Listing {
  readonly choices: readonly Choice[];
  readonly why?: string;
}

/** What lists show. */
export type Choosable = 'image' | 'vpc' | 'subnet' | 'security-group' | 'vm-type' | 'instance-profile' | 'key-name';

/** The answers so far, by which others are narrowed. */
export interface AnswersSoFar {
  readonly image: string | undefined;
  /** The VPC of the subnets; any by default. */
  readonly vpc: string | undefined;
  readonly subnets: readonly string[];
  /** What a host must have at least. */
  readonly cores: number;
  readonly memoryGiB: number;
}

/** Where an account is, and by which credentials; neither file nor more: those of the environment or the host. */
export interface Account {
  readonly region: string;
  readonly credentialsFile?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Looks at an account for whoever sets a provider up. Changes nothing. */
export interface Discovery {
  /** Who asks, an ARN. Throws `provider.*` and `configuration.*` where AWS cannot be asked. */
  who(): Promise<string>;
  list(what: Choosable, soFar: AnswersSoFar): Promise<Listing>;
  /** Why these cannot be taken, as far as AWS tells; undefined where they can. */
  fault(what: Choosable, values: readonly string[], soFar: AnswersSoFar): Promise<string | undefined>;
}
