#!/usr/bin/env bash
# controllers.sh install|uninstall NAME|all: the controllers of README.md in the current context, at pinned versions.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
names=(cert-manager gateway keda postgres kafka external-secrets prometheus adapter)
github=https://github.com

manifests() { # what a name consists of; nothing for those that come by helm
  case $1 in
    cert-manager) echo $github/cert-manager/cert-manager/releases/download/v1.21.0/cert-manager.yaml ;;
    gateway) echo $github/envoyproxy/gateway/releases/download/v1.9.1/install.yaml ;;
    keda) echo $github/kedacore/keda/releases/download/v2.21.0/keda-2.21.0.yaml ;;
    postgres)
      echo $github/cloudnative-pg/cloudnative-pg/releases/download/v1.30.0/cnpg-1.30.0.yaml
      echo $github/cloudnative-pg/plugin-barman-cloud/releases/download/v0.13.0/manifest.yaml ;;
  esac
}

chart() { # repository, chart, version, namespace, options; the adapter starts with its rules, so nobody waits for it
  case $1 in
    kafka) echo https://strimzi.io/charts strimzi-kafka-operator 1.2.0 strimzi --wait --set watchAnyNamespace=true ;;
    external-secrets) echo https://charts.external-secrets.io external-secrets 2.6.0 external-secrets --wait ;;
    prometheus) echo https://prometheus-community.github.io/helm-charts kube-prometheus-stack 88.0.0 monitoring \
      --wait --values "$here/prometheus.yaml" ;;
    adapter) echo https://prometheus-community.github.io/helm-charts prometheus-adapter 5.2.0 monitoring \
      --set rules.existing=adapter-rules --set prometheus.url=http://prometheus-operated.monitoring.svc ;;
  esac
}

install() {
  local url repository name version namespace options
  if [ -n "$(manifests "$1")" ]; then
    for url in $(manifests "$1"); do kubectl apply --server-side --force-conflicts -f "$url"; done
    kubectl wait --for=condition=Available deployment --all --timeout=300s --namespace "$(namespace "$1")"
  else
    read -r repository name version namespace options <<<"$(chart "$1")"
    # shellcheck disable=SC2086 # the options are words
    helm upgrade --install "$1" "$name" --repo "$repository" --version "$version" \
      --namespace "$namespace" --create-namespace $options
  fi
}

uninstall() {
  local url namespace
  if [ -n "$(manifests "$1")" ]; then
    for url in $(manifests "$1" | tac); do kubectl delete --ignore-not-found -f "$url"; done
  else
    read -r _ _ _ namespace _ <<<"$(chart "$1")"
    helm uninstall "$1" --namespace "$namespace" --ignore-not-found --wait
  fi
}

namespace() { # where the manifests' own Deployments are
  case $1 in cert-manager | keda) echo "$1" ;; gateway) echo envoy-gateway-system ;; postgres) echo cnpg-system ;; esac
}

verb=${1:-} wanted=("${2:-}")
[[ $verb == install || $verb == uninstall ]] && [[ " ${names[*]} all " == *" ${2:-none} "* ]] ||
  { echo "usage: controllers.sh install|uninstall NAME|all, NAME one of: ${names[*]}" >&2; exit 2; }
if [ "$2" = all ]; then
  wanted=("${names[@]}")
  [ "$verb" = install ] || mapfile -t wanted < <(printf '%s\n' "${names[@]}" | tac)
fi
for name in "${wanted[@]}"; do "$verb" "$name"; done
