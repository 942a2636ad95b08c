# Functions that the other scripts here source.

# stops_without TARGET (COMMAND PACKAGE)...: exits if a command is missing, and names the Debian package that has it.
stops_without() {
  local target=$1 missing=()
  shift
  [ "$(uname -m)" = x86_64 ] || { echo "make $target runs on x86-64; this is $(uname -m)"; exit 1; }
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  [ ${#missing[@]} = 0 ] && return
  echo "make $target lacks some tools: apt-get install $(printf '%s\n' "${missing[@]}" | sort -u | xargs)"
  exit 1
}
