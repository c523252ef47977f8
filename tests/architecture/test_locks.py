"""What is installed is pinned, hash-checked and says nothing of where it came from."""

import re


def locks(root):
    return sorted((root / "requirements").glob("*.txt"))


def test_there_is_a_lock_for_each_service_and_for_the_whole(root):
    services = {p.parent.name for p in root.glob("services/*/pyproject.toml")}
    assert {p.stem for p in locks(root)} == services | {"dev", "e2e", "reload", "scan", "uv"}


def test_every_requirement_is_pinned_and_hashed(root):
    for lock in locks(root):
        for requirement in re.split(r"\n(?=\S)", lock.read_text().strip()):
            assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==\S+", requirement), f"{lock.name}: {requirement[:60]}"
            assert "--hash=sha256:" in requirement, f"{lock.name}: {requirement[:60]}"


def test_no_lock_names_a_registry_or_a_path(root):
    for lock in locks(root):
        assert not re.search(r"https?://|file:|^-", lock.read_text(), re.MULTILINE), lock.name
