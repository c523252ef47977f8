"""The end, and so the last of the suite: what was deployed leaves nothing."""

from devstack.kubectl import NAMESPACE
from devstack.stages import cluster

LISTED = ("api-resources", "--verbs=list", "-o", "name")


def test_deleting_the_namespace_leaves_nothing(stage, kubectl):
    cluster.remove(kubectl)
    assert not kubectl.exists("namespace", NAMESPACE)
    kinds = kubectl.run(*LISTED, "--namespaced=false").split()
    left = [line for kind in kinds for line in kubectl.tried("get", kind, "-o", "name").stdout.split()]
    assert [line for line in left if NAMESPACE in line.partition("/")[2]] == []
    events = kubectl.tried("get", "all,configmaps,secrets,networkpolicies", "-o", "name").stdout
    assert events.strip() == ""
