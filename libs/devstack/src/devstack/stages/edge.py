"""The real edge of stage `cluster`: component `gateway` on an Envoy Gateway that the cluster has.

What a test cluster lacks is replaced: no cert-manager, so the certificate is made here; no load balancer, so the
proxies are reached by their cluster address; and every request is traced, to lite's collector.
"""

import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devstack import checkout
from devstack.kubectl import NAMESPACE, Kubectl
from devstack.ports import LOOPBACK

HOST = "api.yourdomain.com"
CONTROLLER = "envoy-gateway-system"
OWNED = (
    f"gateway.envoyproxy.io/owning-gateway-name={NAMESPACE},gateway.envoyproxy.io/owning-gateway-namespace={NAMESPACE}"
)
COMPONENTS = ["gateway"]
PATCHES = [
    {"patch": "$patch: delete\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: gateway}\n"},
    {
        "patch": """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: waybill}
spec:
  provider:
    kubernetes:
      envoyService: {type: ClusterIP}
      envoyDeployment: {container: {resources: {requests: {cpu: 50m, memory: 128Mi}}}}
  telemetry:
    tracing:
      samplingRate: 100
      provider: {type: OpenTelemetry, serviceName: gateway, backendRefs: [{name: collector, port: 4317}]}
"""
    },
]


class Edge:
    """The Gateway of the namespace; its proxies run beside their controller."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._ours, self.kubectl = kubectl, kubectl.within(CONTROLLER)

    def prepare(self) -> None:
        """GatewayClass and certificate, before the Gateway that needs them."""
        self._ours.run("apply", "--kustomize", str(checkout.ROOT / "deploy" / "configs" / "gateway" / "class"))
        certificate, key = _self_signed()
        data = {"tls.crt": certificate, "tls.key": key}
        body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "gateway-tls"}}
        self._ours.run("apply", "-f", "-", given=json.dumps({**body, "stringData": data}))

    def wait(self) -> str:
        """Until the Gateway is programmed and its proxies are there; returns the name of their Service."""
        self._ours.run("wait", "gateway/waybill", "--for=condition=Programmed", "--timeout=120s")
        self.kubectl.run("rollout", "status", f"deployment/{self.deployment}", "--timeout=120s")
        return self._named("services")

    @property
    def deployment(self) -> str:
        """The proxies' Deployment."""
        return self._named("deployments")

    @property
    def inner(self) -> dict[str, str]:
        """For a pod of the cluster."""
        return {"gateway": f"https://{self._named('services')}.{CONTROLLER}.svc", "host": HOST}

    def outer(self, port: int) -> dict[str, str]:
        """For a client on this machine."""
        return {"gateway": f"https://{LOOPBACK}:{port}", "host": HOST}

    def _named(self, kind: str) -> str:
        (found,) = self.kubectl.get(kind, "--selector", OWNED)["items"]
        return str(found["metadata"]["name"])


def _self_signed() -> tuple[str, str]:
    """(certificate, key) as PEM, for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=1))
    signed = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False).sign(key, hashes.SHA256())
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(*formats).decode()
