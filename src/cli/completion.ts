import { Argument, type Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { oneOf } from './argument-values.js';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const help = `
To load it: bash  source <(pg-coordinate completion bash)
            zsh   source <(pg-coordinate completion zsh)
            fish  pg-coordinate completion fish | source`;

export function addCompletionCommand(program: Command, io: CommandIo): void {
  program
    .command('completion')
    .description('print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>', shells.join(', ')).argParser(oneOf(shells)))
    .addHelpText('after', help)
    .action(async (shell: Shell) => io.stdout.line(scripts[shell](commandsOf(program))));
}

/** A command as shells are to know it. */
interface Known {
  readonly name: string;
  readonly description: string;
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

function commandsOf(program: Command): Known[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.map(({ long, description }) => ({ flag: long ?? '', description })),
  }));
}

const scripts: Readonly<Record<Shell, (commands: readonly Known[]) => string>> = { bash, zsh, fish };

function bash(commands: readonly Known[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.map(({ flag }) => flag).join(' ')} --help" ;;`);
  return `# bash completion for pg-coordinate
_pg_coordinate() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')} --help --version"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _pg_coordinate pg-coordinate`;
}

function zsh(commands: readonly Known[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, (character) => `\\${character}`)}'`;
  const described = commands.map(({ name, description }) => `    ${quoted(name)}:${quoted(description)}`);
  const cases = commands.map(({ name, options }) => {
    const flags = options.map(({ flag, description }) => quoted(flag).replace(/'$/, `[${quoted(description).slice(1, -1)}]'`));
    return `    ${name}) _arguments ${[...flags, "'*:file:_files'"].join(' ')} ;;`;
  });
  return `#compdef pg-coordinate
# zsh completion for pg-coordinate
_pg_coordinate() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _pg_coordinate pg-coordinate`;
}

function fish(commands: readonly Known[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, description, options }) => [
    `complete -c pg-coordinate -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => {
      return `complete -c pg-coordinate -n '__fish_seen_subcommand_from ${name}' -l ${option.flag.slice(2)} -d ${quoted(option.description)}`;
    }),
  ]);
  return ['# fish completion for pg-coordinate', ...lines].join('\n');
}
