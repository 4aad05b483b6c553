/**
 * The supervisor: a POSIX shell script, since a shell is on every Linux and macOS, is a hundredth the size of a second Node, and
 * a string needs no file that a build or a package could lose.
 *
 * Its standard input is a pipe to the process that wants the server. On it come two commands, `initialise [--no-sync]` and
 * `serve PORT`, and then nothing until it ends: which it does when that process closes it, and likewise when that process exits,
 * crashes, or is killed by SIGKILL. Descriptors 1 and 2 are the log, 3 takes the answers to the commands, and 4 is given to the
 * server alone, so that whoever reads its other end sees when the last of the server's processes has ended.
 *
 * Arguments: the run directory, the directory for initdb, the signal that stops the server, the arguments of the server.
 */
export const supervisorScript = `
run=$1 new=$2 signal=$3
shift 3
umask 077
# A signal ends the read below, with the same effect as the end of the input.
trap : HUP INT TERM
trap '' PIPE
server=

while read -r command argument; do
  case $command in
    initialise)
      if "$run/native/bin/initdb" --pgdata="$new" --username=postgres --pwfile="$run/password" --auth=scram-sha-256 \
        --encoding=UTF8 --no-locale --no-instructions \${argument:+"$argument"} </dev/null 3>&- 4>&-
      then echo initialised >&3
      else echo failed >&3
      fi ;;
    serve)
      "$run/native/bin/postgres" "$@" -p "$argument" </dev/null 3>&- &
      server=$!
      exec 4>&-
      echo "$server" >&3 ;;
  esac
done

# From here on nothing may interrupt the waiting, or the files would go before the server does.
trap '' HUP INT TERM
if [ -n "$server" ]; then
  # A server that has only just been forked still ignores INT and QUIT, as what a shell starts by & does; TERM reaches it.
  kill -s TERM "$server" 2>/dev/null
  kill -s "$signal" "$server" 2>/dev/null
  wait "$server"
fi
# Twice, for processes of a server that was itself killed may still be writing.
rm -rf -- "$run" "$new" || { sleep 1; rm -rf -- "$run" "$new"; }
`;
