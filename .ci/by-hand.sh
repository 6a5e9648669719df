# Sourced by the walks through the documents: a folder that looks like a reader's clone, the commands that a document tells
# its reader to type, and the end of everything that they started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
home=$(mktemp -d)
here=$home/mesh # what a reader's clone is

end() {
  "$here/artifacts/bin/Mesh.Silo/debug/mesh-silo" --stop --data-dir "$here/mesh-data" >/dev/null 2>&1 || true
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT
# A package that an earlier walk restored would be taken for the one that this walk packs.
rm -rf "${NUGET_PACKAGES:-$HOME/.nuget/packages}"/{mesh.client*,mesh.servicediscovery}

for tool in kubectl curl dig openssl dotnet; do
  command -v "$tool" >/dev/null || { echo "$tool is needed and is not installed"; exit 1; }
done

# The built programs, and the sources of what applications reference.
mkdir -p "$here/artifacts/bin"
cp -r deploy client "$here/"
cp README.md Mesh.sln global.json .editorconfig Directory.* BannedSymbols* "$here/"
for program in Mesh.Silo Soup; do
  mkdir -p "$here/artifacts/bin/$program"
  cp -r "artifacts/bin/$program/debug" "$here/artifacts/bin/$program/"
done

# commands_of DOCUMENT: one record a command, "SECTION|COMMAND", ended by a NUL: a console line that begins with "$ ", with the
# lines that continue it; in the section of the two commands, which have no prompt, each line. A C# block is the record "cs".
commands_of() {
  awk '
    function out() { if (command != "") printf "%s|%s%c", section, command, 0; command = "" }
    /^## /                          { section = substr($0, 4) }
    /^```(console|sh|bash|yaml)/    { block = "console"; next }
    /^```csharp/                    { block = "cs"; command = "cs"; next }
    /^```/                          { out(); block = (block == "") ? "other" : ""; next }
    block == "console" && /^\$ /    { out(); command = substr($0, 3); next }
    block == "console" && section == "Two commands" { out(); sub(/ +#.*/, ""); command = $0; next }
    block == "console" || block == "cs" { command = command "\n" $0 }
  ' "$root/$1"
}

nothing_left() { # no job still runs, and the folder holds what a clone holds
  local left
  for _ in $(seq 100); do
    [ -n "$(jobs -rp)" ] || break
    sleep 0.1
  done
  [ -z "$(jobs -rp)" ] || { echo "left running:"; jobs -rl; exit 1; }
  left=$(ls -A "$here" | grep -vxE 'artifacts|deploy|client|README.md|Mesh.sln|global.json|.editorconfig|Directory\..*|BannedSymbols.*' || true)
  [ -z "$left" ] || { echo "left in the folder: $left"; exit 1; }
}
