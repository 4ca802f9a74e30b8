"""The control API for tests and the curious: play, rate, targets, log. No authentication: loopback only."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from demo.contact_centre.centre import LOG_LENGTH, Centre, NoTarget
from demo.contact_centre.scenarios import SCENARIOS, SPAN_S, UnknownScenario
from demo.contact_centre.storage import WAITING
from demo.contact_centre.targets import Target, TargetRefused, read_target

LOG_MOST = 200
NO_TARGET_WORDS = "There is no configuration to play against: seed the demo, or add one by address and key."

blueprint = Blueprint("control", __name__, url_prefix="/_control")


def centre() -> Centre:
    """The running contact centre."""
    found: Centre = current_app.extensions["centre"]
    return found


def body() -> dict[str, Any]:
    """The JSON object of the request, {} without one."""
    given = request.get_json(silent=True, force=True) if request.get_data() else {}
    return given if isinstance(given, dict) else {}


def refuse(words: str, status: int) -> Response:
    """An error as JSON."""
    answer = jsonify({"error": words})
    answer.status_code = status
    return answer


def as_json(target: Target) -> dict[str, Any]:
    """A target for people: never its key."""
    return {"id": target.id, "name": target.name, "events_url": target.events_url, "desk_url": target.desk_url}


@blueprint.get("/")
def show_state() -> Response:
    """What is running and what can be played."""
    running = centre()
    scenarios = [
        {"name": each.name, "title": each.title, "channel": each.channel, "sentence": each.sentence}
        for each in SCENARIOS.values()
    ]
    return jsonify(
        rate=running.rate,
        target=as_json(running.target) if running.target else None,
        targets=[as_json(target) for target in running.targets()],
        waiting=running.storage.count_waiting(),
        scenarios=scenarios,
    )


@blueprint.post("/play")
def play() -> Response:
    """{"scenario", "seed"?, "ticket_id"?, "span_s"?} → what will be sent; it is stored when this answers."""
    asked = body()
    try:
        seed = asked.get("seed")
        told = centre().play(
            str(asked.get("scenario", "")),
            seed=None if seed is None else int(seed),
            ticket_id=str(asked["ticket_id"]) if asked.get("ticket_id") else None,
            span_s=max(0.0, float(asked.get("span_s", SPAN_S))),
            origin="control",
        )
    except UnknownScenario:
        return refuse(f"No such scenario; there are {', '.join(SCENARIOS)}.", 404)
    except NoTarget:
        return refuse(NO_TARGET_WORDS, 409)
    except (TypeError, ValueError):
        return refuse("The seed is a whole number and span_s a number of seconds.", 422)
    ids = {"contactId": told.contact_ids[0], "contactIds": list(told.contact_ids), "eventIds": list(told.event_ids)}
    return jsonify({**ids, "scenario": told.scenario, "seed": told.seed, "calls": len(told.sends)})


@blueprint.post("/rate")
def change_rate() -> Response:
    """{"rate": interactions per minute}; 0 stops the stream."""
    try:
        return jsonify(rate=centre().set_rate(float(body().get("rate", "none"))))
    except (TypeError, ValueError):
        return refuse("The rate is a number of interactions per minute, from 0 to 1200.", 422)


@blueprint.post("/targets")
def add_target() -> Response:
    """{"events_url", "intake_key", "name"?, "desk_url"?}: play against it from now on."""
    asked = {
        name: str(body().get(name, "")) for name in ("name", "events_url", "intake_key", "desk_url", "product_url")
    }
    try:
        target_id = centre().add_target(read_target(**asked))
    except TargetRefused as refusal:
        return refuse(str(refusal), 422)
    return jsonify(id=target_id)


@blueprint.post("/targets/<int:target_id>/choose")
def choose_target(target_id: int) -> Response:
    """Play against another target from now on; 0 is the seeded configuration."""
    try:
        centre().choose_target(target_id)
    except NoTarget:
        return refuse("No such target.", 404)
    return jsonify(id=target_id)


@blueprint.delete("/targets/<int:target_id>")
def remove_target(target_id: int) -> Response:
    """Forget a target, its key and what waits for it."""
    centre().storage.remove_target(target_id)
    return jsonify(removed=target_id)


@blueprint.get("/log")
def show_log() -> Response:
    """The latest interactions, newest first: each call with its body, state, tries and the product's answer."""
    limit = min(request.args.get("limit", LOG_LENGTH, int), LOG_MOST)
    plays = centre().log(limit)
    for play_row in plays:
        play_row["waiting"] = sum(send["state"] == WAITING for send in play_row["sends"])
    return jsonify(interactions=plays, waiting=centre().storage.count_waiting())
