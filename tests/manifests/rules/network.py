"""NetworkPolicies as the cluster reads them: whether a pod may open a connection to another one's port."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rules.objects import Document, Documents, Sentences, matches, namespace, of, title
from rules.pods import Pod, own, running

INTERNET = ""
"""The namespace of what is outside of the cluster."""


class Policy(NamedTuple):
    """One NetworkPolicy."""

    title: str
    namespace: str
    selector: Mapping[str, object]
    types: Sequence[str]
    egress: Sequence[Document]
    ingress: Sequence[Document]

    def takes(self, pod: Pod) -> bool:
        """Whether this policy speaks of the pod at all."""
        return pod.namespace == self.namespace and matches(self.selector, pod.labels)


def policies(documents: Documents) -> list[Policy]:
    """Every policy; one without policyTypes speaks of ingress, and of egress when it has rules for it."""
    return [_policy(one) for one in of(documents, "NetworkPolicy")] + [_of_kafka(one) for one in of(documents, "Kafka")]


def _policy(document: Document) -> Policy:
    spec = document["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    rules = spec.get("egress") or [], spec.get("ingress") or []
    return Policy(title(document), namespace(document), spec.get("podSelector", {}), types, *rules)


def _of_kafka(document: Document) -> Policy:
    """Strimzi makes one of each listener's peers; a listener without peers is open to everybody."""
    listeners = document["spec"]["kafka"]["listeners"]
    rules = [{"ports": [{"port": one["port"]}], "from": one.get("networkPolicyPeers", [])} for one in listeners]
    selector = {"matchLabels": {"strimzi.io/name": f"{document['metadata']['name']}-kafka"}}
    return Policy(title(document), namespace(document), selector, ["Ingress"], [], rules)


class Walls:
    """Who may connect to whom: both sides must agree, and a side that no policy takes agrees to everything."""

    def __init__(self, documents: Documents) -> None:
        self._policies = policies(documents)
        self._taking: dict[tuple[str, str], list[Policy]] = {}

    def between(self, source: Pod, target: Pod, port: int) -> bool:
        """Whether both sides agree."""
        return self.leaves(source, target, port) and self.enters(source, target, port)

    def leaves(self, source: Pod, target: Pod, port: int) -> bool:
        """Whether the source's side agrees."""
        said = self._about(source, "Egress")
        return not said or any(_admits(one, rule, "to", target, target, port) for one in said for rule in one.egress)

    def enters(self, source: Pod, target: Pod, port: int) -> bool:
        """Whether the target's side agrees."""
        said = self._about(target, "Ingress")
        return not said or any(_admits(one, rule, "from", source, target, port) for one in said for rule in one.ingress)

    def _about(self, pod: Pod, kind: str) -> list[Policy]:
        key = pod.owner, kind
        if key not in self._taking:
            self._taking[key] = [one for one in self._policies if kind in one.types and one.takes(pod)]
        return self._taking[key]


def _admits(policy: Policy, rule: Document, side: str, peer: Pod, target: Pod, port: int) -> bool:
    peers, ports = rule.get(side), rule.get("ports")
    is_peer = not peers or any(is_meant(policy.namespace, one, peer) for one in peers)
    return is_peer and (not ports or any(_is_port(one, target, port) for one in ports))


def is_meant(home: str, peer: Document, pod: Pod) -> bool:
    """Whether a peer of a rule, written in namespace `home`, is this pod."""
    if "ipBlock" in peer:
        return pod.namespace == INTERNET
    if "namespaceSelector" in peer:
        here = pod.namespace != INTERNET and matches(peer["namespaceSelector"], _marks(pod.namespace))
    else:
        here = pod.namespace == home
    return here and matches(peer.get("podSelector", {}), pod.labels)


def _marks(name: str) -> Mapping[str, str]:
    """The label that every namespace bears."""
    return {"kubernetes.io/metadata.name": name}


def _is_port(wanted: Document, target: Pod, port: int) -> bool:
    asked = wanted.get("port")
    if isinstance(asked, str):
        return target.ports.get(asked) == port
    return asked is None or asked <= port <= wanted.get("endPort", asked)


def policies_take_a_pod(documents: Documents) -> Sentences:
    """A policy that takes nobody protects nobody."""
    pods = own(documents)
    lost = [one for one in policies(documents) if not any(one.takes(pod) for pod in pods)]
    return [f"{one.title} selects no pod" for one in lost]


def peers_are_somebody(documents: Documents) -> Sentences:
    """Each rule lets at least one known pod in or out: a misspelt label closes the way, and only at night."""
    pods = running(documents)
    return [
        f"{one.title}: no pod is meant by the rules {side} {rule[side]}"
        for one in policies(documents)
        for side, rules in (("to", one.egress), ("from", one.ingress))
        for rule in rules
        if rule.get(side) and not any(_is_somebody(one.namespace, peer, pods) for peer in rule[side])
    ]


def peers(documents: Documents) -> dict[str, bool]:
    """Every peer of every policy, as a sentence about it, and whether a known pod is meant."""
    pods = running(documents)
    return {
        f"{one.title}: {side} {peer}": _is_somebody(one.namespace, peer, pods)
        for one in policies(documents)
        for side, rules in (("to", one.egress), ("from", one.ingress))
        for rule in rules
        for peer in rule.get(side) or ()
    }


def _is_somebody(home: str, peer: Document, pods: Sequence[Pod]) -> bool:
    return "ipBlock" in peer or any(is_meant(home, peer, pod) for pod in pods)


def named_ports_are_somebodys(documents: Documents) -> Sentences:
    """A port by name must be a port of the pods that it is about."""
    pods, wrong = own(documents), []
    for one in policies(documents):
        for side, rules in (("to", one.egress), ("from", one.ingress)):
            for rule in rules:
                about = _about(one, side, rule, pods)
                names = [port["port"] for port in rule.get("ports", ()) if isinstance(port.get("port"), str)]
                wrong += [
                    f"{one.title}: port {n} is nobody's" for n in names if not any(n in pod.ports for pod in about)
                ]
    return wrong


def _about(policy: Policy, side: str, rule: Document, pods: Sequence[Pod]) -> list[Pod]:
    """Whose ports a rule names: the pods entered, which are the peers when something leaves."""
    if side == "from":
        return [pod for pod in pods if policy.takes(pod)]
    peers = rule.get("to", ())
    return [pod for pod in pods if not peers or any(is_meant(policy.namespace, peer, pod) for peer in peers)]
