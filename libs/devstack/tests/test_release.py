"""A release pins what was pushed, and nothing when something was not."""

import pytest

from devstack import release
from devstack.errors import StageError
from devstack.layout import SERVICES

DIGEST = "sha256:" + "a" * 64


def test_every_service_of_the_production_overlay_is_pinned():
    text = release.OVERLAY.read_text()
    for service in SERVICES:
        text = release.pinned(text, service, f"registry.example.com/w/{service}", DIGEST)
    assert text.count(DIGEST) == len(SERVICES)


def test_nothing_is_written_when_one_push_fails(tmp_path, monkeypatch):
    overlay = tmp_path / "kustomization.yaml"
    overlay.write_text(release.OVERLAY.read_text())

    def push(service, registry, version):
        if service == SERVICES[-1]:
            raise StageError("denied")
        return DIGEST

    monkeypatch.setattr(release, "pushed", push)
    with pytest.raises(StageError, match="denied"):
        release.release("registry.example.com/w", "1", overlay)
    assert overlay.read_text() == release.OVERLAY.read_text()


def test_an_overlay_without_the_image_is_refused():
    with pytest.raises(StageError, match="no line that pins order-service"):
        release.pinned("images: []", "order-service", "r", DIGEST)
