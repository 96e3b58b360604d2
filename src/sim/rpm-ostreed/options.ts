import { Variant } from 'dbus-next/lib/variant.js';

/**
 * The options of a method. As with the real daemon, an unknown key and a value of another type than the expected one
 * are silently ignored: a flag that was sent as text counts as not sent.
 */
export class Options {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.values = typeof value === 'object' && value !== null ? { ...value } : {};
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.lookup(name, 'b');
    return typeof value === 'boolean' ? value : otherwise;
  }

  text(name: string): string | null {
    const value = this.lookup(name, 's');
    return typeof value === 'string' ? value : null;
  }

  private lookup(name: string, signature: string): unknown {
    const value = this.values[name];
    return value instanceof Variant && value.signature === signature ? value.value : undefined;
  }
}
