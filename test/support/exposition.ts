const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"`;
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (gauge|counter)$`);
const SAMPLE = new RegExp(String.raw`^(${NAME})(\{${LABEL}(?:,${LABEL})*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$`);

/**
 * The samples of a text in Prometheus' format by name and labels (`x{a="b"}`). Stricter than the format: throws for a
 * sample without help and type before it, for families or samples that come twice, and for anything that is none of it.
 */
export function parseExposition(text: string): ReadonlyMap<string, number> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const samples = new Map<string, number>();
  const families = new Set<string>();
  let [helped, typed] = ['', ''];
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, help] = HELP.exec(line) ?? [];
    const [, type] = TYPE.exec(line) ?? [];
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (help !== undefined) {
      if (families.has(help)) throw new Error(`${help} comes twice`);
      families.add(help);
      helped = help;
    } else if (type !== undefined && type === helped) typed = type;
    else if (name !== undefined && name === typed && !samples.has(name + labels)) {
      samples.set(name + labels, Number(value));
    } else throw new Error(`not expected here: ${line}`);
  }
  return samples;
}
