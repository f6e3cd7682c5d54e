# Print each Python from 3.11 on that this machine has, one path a line, each version once.
for version in 3.11 3.12 3.13 3.14 3.15; do
  for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python3; do
    # A shim of a version manager may stand there for a version that is not chosen: only one that runs counts.
    if "$candidate" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" >/dev/null 2>&1; then
      command -v "$candidate"
      break
    fi
  done
done
