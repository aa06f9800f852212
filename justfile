# The few commands of the house; `just` alone lists them.
set shell := ["bash", "-euo", "pipefail", "-c"]

default:
    @just --list

# Start a useful workspace on embedded defaults
run *args:
    uv run manage.py up {{args}}

# Run the whole test suite
test *args:
    uv run pytest {{args}}

# Format and fix what can be fixed
fix:
    uv run ruff check --fix .
    uv run ruff format .
    git ls-files -z -- 'templates/*.html' | xargs -0 --no-run-if-empty uv run djade --target-version 6.1

# Everything that is not a test: format, lint, types, import contracts, templates, migrations, deployment settings
check:
    uv run ruff format --check .
    uv run ruff check .
    git ls-files -z -- 'templates/*.html' | xargs -0 --no-run-if-empty uv run djade --check --target-version 6.1
    uv run mypy
    uv run lint-imports
    uv run manage.py makemigrations --check --dry-run
    uv run manage.py check --fail-level WARNING

# Print the figures (ratios in one run)
bench *args:
    uv run python -m tests.bench {{args}}

# Make the screenshots that the README shows
shots:
    uv run python -m tests.browser.shots
