import { type Access, createAccess, type Guard } from './http/access.ts';
import type { TokenFileOptions } from './http/token-file.ts';
import type { ManagerConfig } from './config/schema.ts';

/** What an admission knows of the store. */
export interface Holders {
  /** Groups with holders, configured or not. */
  readonly groups: () => Iterable<string>;
  readonly has: (group: string) => boolean;
}

/**
 * Who may speak for which group, over reloads and restarts. A group that is configured no more keeps its tokens for
 * those who hold its slots; after a restart its tokens are not known any more, but that it had some is.
 */
export class Admission {
  readonly #options: TokenFileOptions;
  /** Belongs to the listener: as it was at the start. */
  readonly #bindClientIds: boolean;
  #holders: Holders = { groups: () => [], has: () => false };
  #config: ManagerConfig;
  /** Of groups that are configured no more. */
  #leftOver: ReadonlyMap<string, Guard> = new Map();
  #access: Access;

  /** Throws an error that names the file of tokens that cannot be read. */
  constructor(config: ManagerConfig, options: TokenFileOptions) {
    this.#options = options;
    this.#config = config;
    this.#bindClientIds = config.service.tls?.bindClientIds ?? false;
    this.#access = this.#create(config, this.#leftOver);
  }

  /** In force now. */
  get access(): Access {
    return this.#access;
  }

  /** Groups that need tokens of their own, also those that did when they were configured: what `recall` takes. */
  get guarded(): readonly string[] {
    const configured = [...this.#config.groups.values()].filter(({ tokenPath }) => tokenPath !== null);
    const left = [...this.#leftOver].filter(([, guard]) => guard !== null);
    return [...new Set([...configured.map(({ name }) => name), ...left.map(([name]) => name)])].toSorted();
  }

  /** The store is there: who holds what, and which groups needed tokens of their own before. */
  recall(holders: Holders, guarded: readonly string[]): void {
    this.#holders = holders;
    const unknown = guarded.filter((name) => !this.#config.groups.has(name) && !this.#leftOver.has(name));
    this.#leftOver = new Map([...this.#leftOver, ...unknown.map((name): [string, Guard] => [name, []])]);
    this.#access = this.#create(this.#config, this.#leftOver);
  }

  /** Makes ready for another configuration. Throws as the constructor does; what is returned puts it in force. */
  prepare(config: ManagerConfig): () => void {
    const names = new Set([...this.#config.groups.keys(), ...this.#leftOver.keys(), ...this.#holders.groups()]);
    const gone = [...names].filter((name) => !config.groups.has(name));
    const leftOver = new Map(gone.map((name) => [name, this.#leftOver.get(name) ?? this.#access.guardOf(name)]));
    const access = this.#create(config, leftOver);
    return () => {
      this.#config = config;
      this.#leftOver = leftOver;
      this.#access = access;
    };
  }

  #create({ service, groups, autoCreate }: ManagerConfig, guards: ReadonlyMap<string, Guard>): Access {
    return createAccess(
      {
        tokenPath: service.tokenPath,
        groups: groups.values(),
        openUnlisted: autoCreate !== null && autoCreate.template.tokenPath === null,
        bindClientIds: this.#bindClientIds,
        leftOver: { guards, hasHolders: (group) => this.#holders.has(group) },
      },
      this.#options,
    );
  }
}
