/** A variable in a template: `${name}`. */
export const VARIABLE = /\$\{([^}]*)\}/g;

/** What is wrong with the variables of a template, or null: each must be one of `names`. */
export function variableProblem(text: string, names: readonly string[]): string | null {
  const known = names.map((name) => `\${${name}}`).join(' ');
  const used = [...text.matchAll(VARIABLE)].map(([, name = '']) => name);
  const wrong = used.find((name) => !names.includes(name));
  if (wrong !== undefined) return `unknown variable \${${wrong}}: the variables are ${known}`;
  return text.replace(VARIABLE, '').includes('${') ? `'\${' without '}': the variables are ${known}` : null;
}

/** Puts values in the place of variables; what is in a value is not looked at again. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (whole, name: string) => values[name] ?? whole);
}
