"""Images: what runs tomorrow is what was tested today."""

import re

from rules.containers import each
from rules.objects import Documents, Sentences, containers, named, our_workloads

DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
VERSION = re.compile(r":v?\d+\.\d+\.\d+|@sha256:[0-9a-f]{64}$")


def tag(image: str) -> str:
    """What follows the name: `:18`, `@sha256:...` or nothing. A registry's port is no tag."""
    last = image.rsplit("/", 1)[-1]
    return last[re.match(r"[^:@]*", last).end() :]


def images_have_a_tag(documents: Documents) -> Sentences:
    """Without one a node runs whatever it happens to have."""
    return [
        f"{named(*pair)}: image {pair[1]['image']} has no tag" for pair in each(documents) if not tag(pair[1]["image"])
    ]


def no_image_is_the_latest(documents: Documents) -> Sentences:
    """`:latest` means another thing each day."""
    latest = [pair for pair in each(documents) if tag(pair[1]["image"]) == ":latest"]
    return [f"{named(*pair)}: image {pair[1]['image']} is not pinned" for pair in latest]


def our_images_are_pinned_by_digest(documents: Documents) -> Sentences:
    """A tag can be pushed again; production names the bytes."""
    ours = [(one, box) for one in our_workloads(documents) for box in containers(one)]
    loose = [pair for pair in ours if not DIGEST.fullmatch(pair[1]["image"])]
    return [f"{named(*pair)}: image {pair[1]['image']} has no digest" for pair in loose]


def others_images_name_a_whole_version(documents: Documents) -> Sentences:
    """From a registry that everybody knows, three numbers or a digest: `:9` is another image next month."""
    ours = our_workloads(documents)
    loose = [pair for pair in each(documents) if pair[0] not in ours and not VERSION.search(pair[1]["image"])]
    return [f"{named(*pair)}: image {pair[1]['image']} names no whole version" for pair in loose]


def images_are_not_pulled_again(documents: Documents) -> Sentences:
    """A fixed tag or digest needs no second look at the registry."""
    pulled = [pair for pair in each(documents) if pair[1].get("imagePullPolicy", "IfNotPresent") != "IfNotPresent"]
    return [f"{named(*pair)}: imagePullPolicy is {pair[1]['imagePullPolicy']}" for pair in pulled]
