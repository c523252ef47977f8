"""Rules about manifests, by noun. What holds where: ANYWHERE, where the rendering is COMPLETE, with what stands beside
it (WHOLE), in PRODUCTION only; SOURCES judge files instead of documents.
"""

from rules import (
    article,
    connections,
    containers,
    dockerfiles,
    images,
    metrics,
    names,
    network,
    ports,
    references,
    scaling,
    secrets,
    selectors,
    settings,
    sources,
    topics,
)

ANYWHERE = (
    names.names_fit_into_a_label,
    names.label_values_are_labels,
    names.objects_are_unique,
    names.port_names_are_short,
    containers.mounts_name_a_volume,
    containers.requests_are_within_limits,
    containers.restart_policies_fit_the_kind,
    references.named_config_maps_exist,
    references.accounts_exist,
    references.probes_name_a_port,
    secrets.nothing_rendered_is_a_secret,
    secrets.no_variable_is_a_secret,
    selectors.services_take_a_pod,
    selectors.services_take_one_workload,
    selectors.workloads_take_their_own_pods,
    topics.topics_are_made_as_contracts_say,
    topics.lite_makes_the_contracts_topics,
)
"""Of the base alone and of everything under deploy/configs too."""

COMPLETE = (
    containers.containers_have_requests_and_limits,
    containers.what_lasts_has_probes,
    images.images_have_a_tag,
    images.no_image_is_the_latest,
    images.images_are_not_pulled_again,
    ports.services_lead_to_a_port,
)
"""Of what is applied as it is: overlays, combinations, deploy/configs."""

WHOLE = (
    article.every_service_has_all_its_processes,
    article.paths_lead_to_their_service,
    article.resources_are_the_articles,
    article.rollouts_take_no_pod_away_first,
    article.services_are_the_articles,
    article.what_lasts_ends_in_peace,
    connections.nothing_else_is_reachable,
    connections.told_hosts_exist,
    connections.what_is_needed_is_reachable,
    containers.our_containers_are_named_app,
    containers.pods_hold_no_token,
    containers.pods_meet_the_restricted_standard,
    metrics.alerts_say_what_to_do,
    metrics.metrics_are_exported,
    names.the_namespace_enforces_the_standard,
    network.named_ports_are_somebodys,
    network.peers_are_somebody,
    network.policies_take_a_pod,
    ports.backends_are_services,
    ports.monitors_name_a_port,
    ports.parents_of_routes_exist,
    ports.targets_of_policies_exist,
    references.keys_of_secrets_exist,
    references.named_secrets_exist,
    references.priorities_exist,
    scaling.budgets_leave_room,
    scaling.minimum_is_not_above_maximum,
    scaling.nobody_is_scaled_twice,
    scaling.scalers_bear_the_labels_of_their_workload,
    scaling.scalers_find_their_workload,
    scaling.scalers_measure_a_container,
    scaling.trigger_keys_are_known,
    scaling.triggers_say_what_they_need,
    scaling.triggers_watch_what_is_read,
    scaling.who_is_scaled_states_no_replicas,
    scaling.workers_do_not_outnumber_partitions,
    selectors.budgets_take_one_workload,
    selectors.names_and_components_agree,
    selectors.our_services_take_an_api,
    selectors.pod_monitors_take_what_lasts,
    selectors.pods_spread_over_nodes,
    settings.files_that_settings_read_are_mounted,
    settings.gateways_believe_the_issuer,
    settings.what_is_required_is_told,
    settings.what_is_told_is_admissible,
    settings.what_is_told_is_known,
    topics.everybody_has_a_user,
    topics.rights_do_not_exceed,
    topics.rights_suffice,
    topics.topics_are_those_of_contracts,
)
"""Of overlays and combinations, with databases, broker and edge beside them."""

OVERLAY = (names.everything_is_in_one_namespace, references.every_config_map_is_read)
"""Of an overlay or a combination alone; the configs beside it have namespaces of their own."""

OPERATED = (references.secrets_have_a_maker,)
"""Where operators stand beside it: staging and production."""

NOT_DEV = (containers.our_roots_are_read_only,)
"""Component dev, for a laptop, makes the root writable."""

PRODUCTION = (
    article.apis_keep_two_pods,
    article.apis_scale_as_the_article_says,
    images.others_images_name_a_whole_version,
    images.our_images_are_pinned_by_digest,
)

SOURCES = (
    dockerfiles.copied_paths_are_not_ignored,
    dockerfiles.copied_paths_exist,
    secrets.nothing_in_git_looks_secret,
    sources.components_are_explained,
    sources.components_come_in_order,
    sources.everything_is_included,
    sources.names_have_no_prefix,
    sources.no_field_is_deprecated,
    sources.nothing_is_patched_by_index,
    sources.overlays_fit_a_screen,
    sources.overlays_only_choose,
    sources.paths_lead_somewhere,
    sources.service_defaults_come_last,
)
