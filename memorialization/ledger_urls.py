"""Addresses of the ledger: interactions, deliveries, the Activity tab and the Next step tab."""

from django.urls import URLPattern, URLResolver, path

from memorialization.views import (
    ledger_activity,
    ledger_acts,
    ledger_lists,
    ledger_pages,
    ledger_replays,
    next_step,
    replay_runs,
)

ledger_urls: list[URLPattern | URLResolver] = [
    path("interactions/", ledger_lists.list_interactions, name="interaction_list"),
    path("interactions/news/", ledger_lists.show_interaction_news, name="interaction_news"),
    path("interactions/<int:pk>/", ledger_pages.show_interaction, name="interaction_detail"),
    path("interactions/<int:pk>/changes/", ledger_pages.show_interaction_change, name="interaction_changes"),
    path("interactions/<int:pk>/link/", ledger_acts.link, name="interaction_link"),
    path("interactions/<int:pk>/unlink/", ledger_acts.unlink, name="interaction_unlink"),
    path("deliveries/", ledger_lists.list_deliveries, name="delivery_list"),
    path("deliveries/news/", ledger_lists.show_delivery_news, name="delivery_news"),
    path("deliveries/replay/", ledger_replays.replay_selection, name="delivery_replay_selection"),
    path("deliveries/replays/", replay_runs.list_runs, name="replay_run_list"),
    path("deliveries/replays/new/", replay_runs.start_run, name="replay_run_create"),
    path("deliveries/replays/<int:pk>/", replay_runs.show_run, name="replay_run_detail"),
    path("deliveries/replays/<int:pk>/progress/", replay_runs.show_run_progress, name="replay_run_progress"),
    path("deliveries/replays/<int:pk>/deliveries/", replay_runs.show_run_deliveries, name="replay_run_deliveries"),
    path("deliveries/replays/<int:pk>/cancel/", replay_runs.cancel_run, name="replay_run_cancel"),
    path("deliveries/<int:pk>/", ledger_pages.show_delivery, name="delivery_detail"),
    path("deliveries/<int:pk>/changes/", ledger_pages.show_delivery_change, name="delivery_changes"),
    path("deliveries/<int:pk>/replay/", ledger_replays.replay, name="delivery_replay"),
    path("configurations/<uuid:pk>/activity/", ledger_activity.show_activity, name="configuration_activity"),
    path("configurations/<uuid:pk>/next-step/", next_step.show_next_step, name="configuration_next_step"),
    path("configurations/<uuid:pk>/next-step/outcome/", next_step.show_outcome, name="configuration_next_step_outcome"),
]
