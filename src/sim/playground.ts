import { startGraphServer } from './graph-server.ts';
import { createMachine } from './machine.ts';
import { type SceneryOptions, loadScenery } from './scenery.ts';

/** The name by which the agent of a host is known on its bus. */
const AGENT = 'io.github.holdpoint.Agent1';

/** How a simulated host to play with is made. */
export interface PlaygroundOptions extends SceneryOptions {
  /** Folder of the host; left out: a temporary one that is removed at the end. */
  readonly dir?: string | undefined;
}

/** Runs a simulated host and its update server until this process is interrupted; prints how to run an agent on it. */
export async function runSimulatedHost(options: PlaygroundOptions, print: (text: string) => void): Promise<void> {
  const { graph, from, stream, basearch } = loadScenery(options);
  const program = [process.execPath, process.argv[1] ?? ''] as const;
  const server = await startGraphServer({ graph });
  const machine = await createMachine({
    graph,
    stream,
    basearch,
    bootedVersion: from,
    command: [...program, 'sim', 'rpm-ostreed'],
    hookCommand: [...program, 'hook', 'exec'],
    // As the instructions have it.
    runDir: 'run',
    ...(options.dir === undefined ? {} : { dir: options.dir }),
  });
  machine.onShutdown(async (how) => {
    print(how === 'crash' ? 'power cut\n' : 'the host reboots\n');
    await machine.endProcessOf(AGENT);
  });
  machine.onBoot(() => print(`up again, running ${bootedOf(machine.state())}\n`));
  print(instructions(machine.dir, machine.root, machine.busAddress, server.url, bootedOf(machine.state())));
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await machine.stop();
  await server.close();
}

function bootedOf(state: { readonly deployments: readonly { booted: boolean; version: string }[] }): string {
  return state.deployments.find(({ booted }) => booted)?.version ?? 'nothing';
}

function instructions(dir: string, root: string, bus: string, url: string, version: string): string {
  return `A simulated host runs ${version}.

Its update server:  ${url}
Its system bus:     ${bus}
Its faults:         ${dir}/faults
Its hooks:          ${root}/etc/holdpoint/hooks.d/EVENT/NAME

Put this into a drop-in of its own, next to those that you want to try:

  [cincinnati]
  base_url = "${url}"

and run an agent on it, which a reboot of the host ends, and which is started again then:

  until holdpoint agent --config-dir YOUR-DROP-INS --root ${root} \\
    --bus-address ${bus} --state-dir ${dir}/state --run-dir ${dir}/run
  do sleep 1; done

rpm-ostree, gdbus and holdpoint status work on it with DBUS_SYSTEM_BUS_ADDRESS=${bus}
Ctrl-C ends it.

`;
}
