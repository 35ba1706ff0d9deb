/** What a caller may do: read, also ask for machines and give them back, everything. Host Factory and the shell's user are `admin`. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Whether a caller of one role may do what needs another. */
export const allows = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed);

/** Who asks, carried by every command and query and written on every event. */
export interface Origin {
  readonly correlationId: string;
  readonly userId?: string;
  readonly role?: Role;
  readonly commandId?: string;
}
