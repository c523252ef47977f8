"""Nothing secret is in git: no Secret, no generator of one, no key, no password as a value."""

import re
import subprocess
from pathlib import Path

from rules.objects import Documents, Sentences, of, title

LOOKS_SECRET = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY-----\s+[A-Za-z0-9+/=]{16}"),
    "a cloud's access key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token": re.compile(
        r"\b(ghp_|gho_|glpat-|xox[bp]-|hvs\.)[A-Za-z0-9_-]{16,}|\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}"
    ),
}
MANIFEST = {
    "a Secret": re.compile(r"(?m)^\s*(- )?kind:\s*[\"']?Secret[\"']?\s*$"),
    "a generator of Secrets": re.compile(r"(?m)^secretGenerator:"),
    "a password": re.compile(
        r"(?i)(^|[\s{\[,-])(name:\s*)?[A-Z0-9_]*(password|passwd|secret_key|api_?key|access_?token)[\"']?"
        r"(\s*[,\n]\s*value)?\s*[:=]\s*[\"']?(?!password\b)[^\s\"'${},\[\]/]{6,}"
    ),
}
"""Only where manifests are: a test may make up a password."""
MANIFESTS = ("kustomize/", "deploy/", "skaffold.yaml", "compose.yaml")
SUFFIXES = {".cfg", ".env", ".ini", ".json", ".pem", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}


def nothing_rendered_is_a_secret(documents: Documents) -> Sentences:
    """Who needs one makes it in the cluster."""
    return [f"{title(one)} is rendered from git" for one in of(documents, "Secret")]


def no_variable_is_a_secret(documents: Documents) -> Sentences:
    """A ConfigMap may name a file that holds a password, never the password."""
    pattern = re.compile(r"(PASSWORD|SECRET|CREDENTIALS?|PRIVATE_KEY|API_KEY|ACCESS_KEY)$")
    return [
        f"{title(one)} holds {key}"
        for one in of(documents, "ConfigMap")
        for key in one.get("data", {})
        if pattern.search(key.upper())
    ]


def nothing_in_git_looks_secret(root: Path) -> Sentences:
    """Every text that git knows or would take."""
    return [
        f"{name} holds {what}"
        for name in _names(root)
        if Path(name).suffix in SUFFIXES
        for what, pattern in _patterns(name).items()
        if pattern.search((root / name).read_text(errors="replace"))
    ]


def _patterns(name: str) -> dict[str, re.Pattern[str]]:
    return LOOKS_SECRET | MANIFEST if name.startswith(MANIFESTS) else LOOKS_SECRET


def _names(root: Path) -> list[str]:
    """Without git, as in a copy, every file counts."""
    listing = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        said = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    else:
        said = [str(one.relative_to(root)) for one in sorted(root.rglob("*"))]
    return [name for name in said if (root / name).is_file()]
